//! Razorpay orders as stored here: at most one open order per booking.

use sqlx::{PgConnection, PgExecutor};

use super::states::PaymentState;
use crate::{
    Error, Result,
    bookings::{
        booking,
        status::{BookingStatus, PaymentStatus},
    },
    database::Database,
    ids::{BookingId, PaymentId},
};

/// An order, identified by our receipt, and by Razorpay's order id once Razorpay has answered.
#[derive(Debug)]
pub struct Order {
    pub id: PaymentId,
    pub order_id: Option<String>,
    pub receipt: String,
    pub amount_paise: i64,
    pub currency: String,
    pub state: PaymentState,
}

impl Order {
    /// Whether Razorpay's amount and currency equal the order's.
    pub fn fits(&self, amount_paise: i64, currency: &str) -> bool {
        (amount_paise, currency) == (self.amount_paise, self.currency.as_str())
    }
}

/// Finds the open order of a booking or inserts one; `true` if it is new. Commit it before the call to Razorpay, so
/// that an order whose answer is lost is found by its receipt.
pub async fn reserve(connection: &mut PgConnection, booking_id: BookingId) -> Result<(Order, bool)> {
    let booking = booking::lock(connection, booking_id).await?;
    if booking.payment_status != PaymentStatus::Pending {
        return Err(Error::AlreadyPaid);
    }
    if booking.booking_status == BookingStatus::Cancelled {
        return Err(Error::BookingCancelled);
    }
    let open = sqlx::query_as!(
        Order,
        r#"
        select id, order_id, receipt as "receipt!", amount_paise, currency, state as "state: PaymentState" from payments
        where booking_id = $1 and method = 'razorpay' and state = 'open'
        "#,
        booking_id.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(Order { id, order_id: Some(_), .. }) = open {
        // The order may be paid from now on, and the reconciliation schedule starts at `updated_at`.
        sqlx::query!("update payments set updated_at = now() where id = $1", id.0).execute(&mut *connection).await?;
    }
    Ok(match open {
        Some(open) => (open, false),
        None => (insert(connection, booking_id, booking.total_amount.paise()).await?, true),
    })
}

async fn insert(connection: &mut PgConnection, booking: BookingId, amount_paise: i64) -> Result<Order> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    // At most 40 characters, and unique in the Razorpay account.
    let receipt = format!("booking-{booking}-{:012x}", u64::from_be_bytes(bytes) >> 16);
    let order = sqlx::query_as!(
        Order,
        r#"
        insert into payments (booking_id, method, amount_paise, receipt, actor) values ($1, 'razorpay', $2, $3, 'razorpay')
        returning id, order_id, receipt as "receipt!", amount_paise, currency, state as "state: PaymentState"
        "#,
        booking.0,
        amount_paise,
        receipt
    )
    .fetch_one(connection)
    .await?;
    Ok(order)
}

/// Locks an order before the call to Razorpay, so that concurrent requests for it wait for this transaction. Returns
/// Razorpay's order id if another request has stored it meanwhile.
pub async fn lock(connection: &mut PgConnection, id: PaymentId) -> Result<Option<String>> {
    let known =
        sqlx::query!(r#"select order_id, state as "state: PaymentState" from payments where id = $1 for update"#, id.0)
            .fetch_one(connection)
            .await?;
    if known.state == PaymentState::Closed {
        // Closed after it was reserved.
        return Err(Error::BookingCancelled);
    }
    Ok(known.order_id)
}

/// Stores Razorpay's order id.
pub async fn keep(executor: impl PgExecutor<'_>, id: PaymentId, order_id: &str) -> sqlx::Result<()> {
    sqlx::query!("update payments set order_id = $2, updated_at = now() where id = $1", id.0, order_id)
        .execute(executor)
        .await
        .map(drop)
}

/// Stores the order id of an order that was found by its receipt, unless one is stored by now.
pub async fn keep_found(executor: impl PgExecutor<'_>, id: PaymentId, order_id: &str) -> sqlx::Result<()> {
    sqlx::query!("update payments set order_id = $2 where id = $1 and order_id is null", id.0, order_id)
        .execute(executor)
        .await
        .map(drop)
}

/// Finds an order by Razorpay's order id.
pub async fn with_order_id(database: &Database, order_id: &str) -> sqlx::Result<Option<Order>> {
    let find = |pool| async move {
        sqlx::query_as!(
            Order,
            r#"
            select id, order_id, receipt as "receipt!", amount_paise, currency, state as "state: PaymentState"
            from payments where order_id = $1
            "#,
            order_id
        )
        .fetch_optional(&pool)
        .await
    };
    database.read(find).await
}

/// Asks that Razorpay be asked for an order at the next run, however old it is; `false` if there is no such order.
pub async fn ask_now(executor: impl PgExecutor<'_>, id: PaymentId) -> sqlx::Result<bool> {
    let asked = sqlx::query!("update payments set ask_at = now() where id = $1 and method = 'razorpay'", id.0)
        .execute(executor)
        .await?;
    Ok(asked.rows_affected() > 0)
}

/// Claims the next order that a person wants to be asked for.
pub async fn claim_asked(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<Order>> {
    sqlx::query_as!(
        Order,
        r#"
        update payments set checked_at = now()
        where id = (
            select id from payments where ask_at > checked_at order by ask_at limit 1 for update skip locked
        )
        returning id, order_id, receipt as "receipt!", amount_paise, currency, state as "state: PaymentState"
        "#
    )
    .fetch_optional(executor)
    .await
}

/// Claims the next order to reconcile. The interval between checks is a tenth of the order's age, at least ten minutes.
/// A settled order is checked daily: its money must be there, and may have been refunded in Razorpay's dashboard. Orders
/// that a person wants to be asked for come first, however old they are.
pub async fn claim_due(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<Order>> {
    sqlx::query_as!(
        Order,
        r#"
        update payments set checked_at = now()
        where id = coalesce((
            select id from payments where ask_at > checked_at order by ask_at limit 1 for update skip locked
        ), (
            select id from payments
            where method = 'razorpay' and (state <> 'settled' or checked_at < now() - interval '1 day')
                and updated_at between now() - interval '6 days' and now() - interval '10 minutes'
                and (
                    checked_at <= updated_at
                    or checked_at < now() - greatest((now() - updated_at) / 10, interval '10 minutes')
                )
            order by checked_at limit 1 for update skip locked
        ))
        returning id, order_id, receipt as "receipt!", amount_paise, currency, state as "state: PaymentState"
        "#
    )
    .fetch_optional(executor)
    .await
}

/// Closes the open order of a booking: no payment is requested any more.
pub(crate) async fn close(executor: impl PgExecutor<'_>, booking: BookingId) -> sqlx::Result<()> {
    sqlx::query!(
        "update payments set state = 'closed', updated_at = now() where booking_id = $1 and state = 'open'",
        booking.0
    )
    .execute(executor)
    .await
    .map(drop)
}

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
    razorpay::Payment,
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
    /// Whether a payment's amount and currency are the order's, or larger by the fee that the customer bears.
    pub fn is_paid_by(&self, payment: &Payment) -> bool {
        payment.fits(self.amount_paise, &self.currency)
    }

    /// Whether Razorpay's amount and currency equal the order's.
    pub fn fits(&self, amount_paise: i64, currency: &str) -> bool {
        (amount_paise, currency) == (self.amount_paise, self.currency.as_str())
    }
}

/// Finds the open order of a booking or inserts one; `true` if it is new. Commit it before the call to Razorpay, so
/// that an order whose answer is lost is found by its receipt.
pub async fn reserve(connection: &mut PgConnection, booking_id: BookingId) -> Result<(Order, bool)> {
    let booking = booking::lock(connection, booking_id).await?;
    // A booking that was refunded in full can be paid again.
    if booking.payment_status == PaymentStatus::Completed {
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
        // The order may be paid from now on: reconciliation asks for it at the intervals of a new one.
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

/// Whether this request may ask Razorpay for the order id.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The order id is known.
    Known(String),
    /// This request asks; others wait until it has stored the answer or given the claim back.
    Granted,
    /// Another request asks at the moment.
    Taken,
}

/// Claims the call to Razorpay for an order. A claim instead of a lock, so that no transaction is open while Razorpay is
/// asked; that of a killed request expires after ten seconds.
pub async fn claim(executor: impl PgExecutor<'_>, id: PaymentId) -> Result<Claim> {
    let found = sqlx::query!(
        r#"
        with claimed as (
            update payments set claimed_until = now() + interval '10 seconds'
            where id = $1 and order_id is null and state = 'open' and coalesce(claimed_until <= now(), true)
            returning id
        )
        select order_id, state as "state: PaymentState", exists (select from claimed) as "is_granted!"
        from payments where id = $1
        "#,
        id.0
    )
    .fetch_one(executor)
    .await?;
    Ok(match (found.order_id, found.state) {
        _ if found.is_granted => Claim::Granted,
        // Closed after it was reserved.
        (_, PaymentState::Closed) => return Err(Error::BookingCancelled),
        (Some(order_id), _) => Claim::Known(order_id),
        (None, _) => Claim::Taken,
    })
}

/// Gives a claim back, after Razorpay has not answered with an order.
pub async fn release(executor: impl PgExecutor<'_>, id: PaymentId) -> sqlx::Result<()> {
    sqlx::query!("update payments set claimed_until = null where id = $1", id.0).execute(executor).await.map(drop)
}

/// Stores Razorpay's order id, also of an order that was closed meanwhile: reconciliation asks for it. Returns the id that
/// counts. [`Error::BookingCancelled`] if the order is closed.
pub async fn keep(executor: impl PgExecutor<'_>, id: PaymentId, order_id: &str) -> Result<String> {
    let kept = sqlx::query!(
        r#"
        update payments set order_id = coalesce(order_id, $2), claimed_until = null, updated_at = now() where id = $1
        returning order_id as "order_id!", state as "state: PaymentState"
        "#,
        id.0,
        order_id
    )
    .fetch_one(executor)
    .await?;
    if kept.state == PaymentState::Closed { Err(Error::BookingCancelled) } else { Ok(kept.order_id) }
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

/// Claims the next order to reconcile. The interval between checks is a tenth of the order's age, at least ten minutes, and
/// counts from the last check, so that handing an order out again does not postpone the next one.
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
                and updated_at > now() - interval '6 days'
                and checked_at < now() - greatest((now() - updated_at) / 10, interval '10 minutes')
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

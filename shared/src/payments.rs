//! Money: the one function by which a payment moves forward, cash, and what goes back.
//!
//! Everything here happens under the lock of the booking, so that what the browser, a webhook, the reconciliation and the
//! staff say at once is applied one after another. Each applies what it knows; what is known already changes nothing.

mod refunds;

use sqlx::PgConnection;
use tracing::error;

pub use refunds::{Told, give_up, left, queue, record};

use crate::{
    Result,
    bookings::{
        change::{self, Actor},
        detail::Stored,
        status::{BookingStatus, PaymentMethod, PaymentStatus},
    },
    metrics::{self, Count},
    razorpay::{Payment, PaymentStatus as GatewayStatus, Refund},
};

/// What came of applying what Razorpay says of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// The booking, if the order is ours.
    pub booking_id: Option<i64>,
    /// Whether the booking is paid now.
    pub is_paid: bool,
    /// How many payments were new or have moved forward.
    pub applied: usize,
    /// How many refunds were new or have moved forward.
    pub refunds: usize,
    /// How many do not fit the order: another amount, another currency. A person must look at them.
    pub mismatched: usize,
}

/// Applies what Razorpay says of the payments of an order, and of their refunds. The only way a payment moves forward; it never moves back.
///
/// Money that arrives pays the booking, unless that is paid already; money that arrives for a booking that is paid or
/// cancelled is queued to go back.
pub async fn settle(
    connection: &mut PgConnection,
    order_id: &str,
    payments: &[Payment],
    refunds: &[Refund],
) -> Result<Settlement> {
    let order = sqlx::query!("select booking_id from payments where order_id = $1", order_id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(order) = order else { return Ok(Settlement::default()) };
    let mut booking = change::lock(connection, order.booking_id).await?;
    let order = sqlx::query!(r#"select id, amount_paise, currency from payments where order_id = $1"#, order_id)
        .fetch_one(&mut *connection)
        .await?;
    let mut settlement = Settlement { booking_id: Some(booking.id), ..Settlement::default() };
    let mut to_give_back = Vec::new();
    for payment in payments.iter().filter(|payment| payment.order_id.as_deref() == Some(order_id)) {
        if payment.amount != order.amount_paise || payment.currency != order.currency {
            error!(booking.id, payment.id, "a payment does not fit its order");
            metrics::count(Count::PaymentMismatches);
            settlement.mismatched += 1;
            continue;
        }
        let Some(state) = state(payment) else { continue };
        let moved = write_capture(connection, (order.id, booking.id), payment, state).await?;
        let Some(capture_id) = moved else { continue };
        settlement.applied += 1;
        if state == "captured" {
            let reason = arrive(connection, &mut booking, order.id, capture_id).await?;
            to_give_back.extend(reason.map(|reason| (capture_id, payment, reason)));
        }
    }
    for refund in refunds {
        settlement.refunds += usize::from(record(connection, refund).await? == Told::News);
    }
    for (capture_id, payment, reason) in to_give_back {
        // Refunds that Razorpay has made may not all be known here yet.
        let left_there = payment.amount - payment.amount_refunded.unwrap_or_default();
        let amount = left(connection, capture_id).await?.min(left_there);
        if amount > 0 {
            queue(connection, &booking, capture_id, amount, reason, &Actor::System).await?;
        }
    }
    settlement.is_paid = booking.payment_status != PaymentStatus::Pending;
    Ok(settlement)
}

/// The state that a payment's status means, if it means one.
fn state(payment: &Payment) -> Option<&'static str> {
    match payment.status {
        // Of what was given back since, its refunds tell.
        _ if payment.is_taken() => Some("captured"),
        GatewayStatus::Failed => Some("failed"),
        GatewayStatus::Authorized => Some("authorized"),
        // Money that was let go before it was taken is none.
        _ => None,
    }
}

/// Writes a payment of Razorpay down; its id if it is new or has moved forward.
async fn write_capture(
    connection: &mut PgConnection,
    (order, booking): (i64, i64),
    payment: &Payment,
    state: &str,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "
        insert into captures as capture (payment_id, booking_id, gateway_payment_id, state, amount_paise, captured_at)
        values ($1, $2, $3, $4::text::capture_state, $5, case when $4 = 'captured' then now() end)
        on conflict (gateway_payment_id) do update set
            state = excluded.state, captured_at = excluded.captured_at, updated_at = now()
            where capture.state < excluded.state and capture.payment_id = excluded.payment_id
        returning id
        ",
        order,
        booking,
        payment.id,
        state,
        payment.amount
    )
    .fetch_optional(connection)
    .await
}

/// Money has arrived from Razorpay. If it is to go back, why.
async fn arrive(
    connection: &mut PgConnection,
    booking: &mut Stored,
    order: i64,
    capture: i64,
) -> sqlx::Result<Option<&'static str>> {
    let is_paid = booking.payment_status != PaymentStatus::Pending;
    if !is_paid {
        pay(connection, booking, (order, capture), PaymentMethod::Razorpay, &Actor::Razorpay).await?;
    }
    let is_cancelled = booking.booking_status == BookingStatus::Cancelled;
    Ok(is_paid.then_some("paid twice").or(is_cancelled.then_some("paid after cancellation")))
}

/// The booking is paid by this money.
async fn pay(
    connection: &mut PgConnection,
    booking: &mut Stored,
    (order, capture): (i64, i64),
    method: PaymentMethod,
    actor: &Actor,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with capture as (
            update captures set pays_booking = true, updated_at = now() where id = $2
        ), payment as (
            update payments set state = 'settled', updated_at = now() where id = $1
        ), event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor) values ($3, 'paid', $4, $4, $5)
        ), message as (
            insert into outbox (kind, payload) values ('booking_paid', jsonb_build_object('booking_id', $3::bigint))
        )
        update bookings set
            payment_status = 'completed', payment_method = $6, version = version + 1, updated_at = now()
        where id = $3
        ",
        order,
        capture,
        booking.id,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        method as PaymentMethod
    )
    .execute(connection)
    .await?;
    metrics::count(Count::PaymentsSettled);
    booking.payment_status = PaymentStatus::Completed;
    booking.payment_method = method;
    Ok(())
}

/// Takes cash for a locked booking that is not paid: the whole total, by whom.
pub async fn take_cash(connection: &mut PgConnection, booking: &mut Stored, actor: &Actor) -> Result<()> {
    let taken = sqlx::query!(
        r#"
        with payment as (
            insert into payments (booking_id, method, amount_paise, state, actor)
            values ($1, 'cash', $2, 'settled', $3)
            returning id
        )
        insert into captures (payment_id, booking_id, state, amount_paise, captured_at)
        select id, $1, 'captured', $2, now() from payment
        returning id, payment_id
        "#,
        booking.id,
        booking.total_amount.paise(),
        actor.to_string()
    )
    .fetch_one(&mut *connection)
    .await?;
    Ok(pay(connection, booking, (taken.payment_id, taken.id), PaymentMethod::Cash, actor).await?)
}

/// A locked booking has been cancelled: nothing more is asked for, and online money is queued to go back.
pub async fn give_back_all(connection: &mut PgConnection, booking: &Stored) -> Result<()> {
    sqlx::query!(
        "update payments set state = 'closed', updated_at = now() where booking_id = $1 and state = 'open'",
        booking.id
    )
    .execute(&mut *connection)
    .await?;
    let captures = sqlx::query!(
        "
        select id, amount_paise - refunded_paise as \"left!\" from captures
        where booking_id = $1 and state = 'captured' and gateway_payment_id is not null and refunded_paise < amount_paise
        ",
        booking.id
    )
    .fetch_all(&mut *connection)
    .await?;
    for capture in captures {
        queue(connection, booking, capture.id, capture.left, "booking cancelled", &Actor::System).await?;
    }
    Ok(())
}

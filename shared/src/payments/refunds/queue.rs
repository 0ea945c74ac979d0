//! Queueing of a refund, in the transaction of its cause.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::PgConnection;

use super::{
    outcome,
    rests::{self, LEAST_ONLINE_PAISE},
};
use crate::{
    Error, Result,
    bookings::{Actor, Booking, status::BookingStatus, timeline::Event},
    ids::{CaptureId, RefundId},
    outbox::Message,
    payments::{orders, states::ByHand},
};

/// The amount of a capture that can still be refunded, in paise.
pub async fn left(connection: &mut PgConnection, capture: CaptureId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select amount_paise - refunded_paise as "left!" from captures where id = $1"#, capture.0)
        .fetch_one(connection)
        .await
}

/// Queues a refund for a locked booking, in the transaction of its cause. The database refuses more than was captured.
/// A refund in cash is processed at once: it is paid out at the counter.
pub async fn queue(
    connection: &mut PgConnection,
    booking: &Booking,
    capture: CaptureId,
    amount_paise: i64,
    reason: &str,
    actor: &Actor,
) -> Result<RefundId> {
    write(connection, booking, capture, amount_paise, None, reason, actor).await
}

/// The same, also for money that was given back by hand, which is processed at once.
pub(super) async fn write(
    connection: &mut PgConnection,
    booking: &Booking,
    capture: CaptureId,
    amount_paise: i64,
    by_hand: Option<ByHand>,
    reason: &str,
    actor: &Actor,
) -> Result<RefundId> {
    let queued = sqlx::query!(
        r#"
        with reserved as (
            update captures set refunded_paise = refunded_paise + $3, updated_at = now() where id = $2
            returning id, gateway_payment_id is not null and $10::text is null as is_sent
        ), refund as (
            insert into refunds (capture_id, booking_id, amount_paise, idempotency_key, reason, actor, by_hand)
            select id, $1, $3, $4, $5, $6, $10 from reserved
            returning id
        )
        select refund.id, reserved.is_sent as "is_sent!",
            write_event($1, $8, $7, $7, $6, $5) as event,
            case when reserved.is_sent then write_message($9, jsonb_build_object('refund_id', refund.id)) end as message
        from refund, reserved
        "#,
        booking.id.0,
        capture.0,
        amount_paise,
        key()?,
        reason,
        actor.to_string(),
        booking.booking_status as BookingStatus,
        Event::RefundRequested as Event,
        Message::Refund as Message,
        by_hand.map(ByHand::as_str)
    )
    .fetch_one(&mut *connection)
    .await?;
    let id = RefundId(queued.id);
    if !queued.is_sent {
        outcome::finish(connection, booking, id, actor).await?;
    }
    Ok(id)
}

/// Closes the order of a locked, cancelled booking and queues a refund of all its online payments. A rest that is too small
/// for Razorpay is written off.
pub async fn give_back_all(connection: &mut PgConnection, booking: &Booking) -> Result<()> {
    orders::close(&mut *connection, booking.id).await?;
    let captures = sqlx::query!(
        r#"
        select id, amount_paise - refunded_paise as "left!" from captures
        where booking_id = $1 and state = 'captured' and gateway_payment_id is not null
            and amount_paise - refunded_paise >= $2
        "#,
        booking.id.0,
        LEAST_ONLINE_PAISE
    )
    .fetch_all(&mut *connection)
    .await?;
    for capture in captures {
        queue(connection, booking, CaptureId(capture.id), capture.left, "booking cancelled", &Actor::System).await?;
    }
    rests::write_off(connection, Some(booking.id)).await?;
    Ok(())
}

/// A random idempotency key for a refund: letters, digits, hyphens and underscores, at most 40.
fn key() -> Result<String> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(format!("refund-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

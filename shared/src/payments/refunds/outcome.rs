//! The outcome of a refund, as Razorpay reports it.

use sqlx::PgConnection;
use tracing::error;

use crate::{
    Result,
    bookings::{Actor, Booking, booking, status::BookingStatus, timeline::Event},
    ids::{BookingId, CaptureId, RefundId},
    metrics::{self, Count},
    outbox::Message,
    payments::states::RefundState,
    razorpay::{Refund, RefundStatus},
};

/// The effect of [`record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The payment is not in our database.
    Foreign,
    /// The state was known: nothing changed.
    Nothing,
    /// The refund was new or moved forward.
    News,
}

/// Applies Razorpay's state of a refund, including refunds that were not requested here.
pub async fn record(connection: &mut PgConnection, refund: &Refund) -> Result<Told> {
    let capture = sqlx::query!("select id, booking_id from captures where gateway_payment_id = $1", refund.payment_id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(capture) = capture else { return Ok(Told::Foreign) };
    let booking = booking::lock(connection, BookingId(capture.booking_id)).await?;
    let is_taken =
        sqlx::query_scalar!(r#"select state = 'captured' as "is_taken!" from captures where id = $1"#, capture.id)
            .fetch_one(&mut *connection)
            .await?;
    if !is_taken {
        // Razorpay reports the release of an uncaptured authorization as a refund too.
        return Ok(Told::Nothing);
    }
    let known = sqlx::query!(
        r#"
        select id, state as "state: RefundState", refund_id from refunds
        where refund_id = $1 or (idempotency_key = $2 and refund_id is null)
        order by refund_id nulls last limit 1
        "#,
        refund.id,
        refund.receipt
    )
    .fetch_optional(&mut *connection)
    .await?;
    let (id, state) = match known {
        // Given up here but not failed at Razorpay, which may still process it.
        Some(known) if known.state == RefundState::Failed && known.refund_id.is_none() => {
            (RefundId(known.id), RefundState::Queued)
        }
        Some(known) => (RefundId(known.id), known.state),
        None if refund.status == RefundStatus::Failed => return Ok(Told::Nothing),
        None => (write_foreign(connection, CaptureId(capture.id), &booking, refund).await?, RefundState::Queued),
    };
    match (state, refund.status) {
        (state, _) if state.is_final() => Ok(Told::Nothing),
        (_, RefundStatus::Processed) => {
            name(connection, id, refund).await?;
            finish(connection, &booking, id, &Actor::Razorpay).await?;
            Ok(Told::News)
        }
        (_, RefundStatus::Failed) => {
            name(connection, id, refund).await?;
            fail(connection, &booking, id).await?;
            Ok(Told::News)
        }
        (RefundState::Queued, RefundStatus::Pending | RefundStatus::Unknown) => {
            name(connection, id, refund).await?;
            Ok(Told::News)
        }
        _ => Ok(Told::Nothing),
    }
}

/// Inserts a refund that was requested in Razorpay's dashboard or made by Razorpay itself.
async fn write_foreign(
    connection: &mut PgConnection,
    capture: CaptureId,
    booking: &Booking,
    refund: &Refund,
) -> sqlx::Result<RefundId> {
    let id = sqlx::query_scalar!(
        "
        insert into refunds (capture_id, booking_id, amount_paise, idempotency_key, refund_id, reason, actor)
        values ($1, $2, $3, $4, $4, 'not asked for here', 'razorpay')
        returning id
        ",
        capture.0,
        booking.id.0,
        refund.amount,
        refund.id
    )
    .fetch_one(connection)
    .await?;
    Ok(RefundId(id))
}

/// Stores Razorpay's refund id, which makes the refund pending.
async fn name(connection: &mut PgConnection, id: RefundId, refund: &Refund) -> sqlx::Result<()> {
    let capture = sqlx::query_scalar!(
        "update refunds set refund_id = $2, state = 'pending', updated_at = now() where id = $1 returning capture_id",
        id.0,
        refund.id
    )
    .fetch_one(&mut *connection)
    .await?;
    count(connection, CaptureId(capture)).await
}

/// Recomputes `refunded_paise` of a capture. A queued refund may have been made in the dashboard too: Razorpay then
/// refuses one of the two, and until then the sum is capped at the captured amount.
async fn count(connection: &mut PgConnection, capture: CaptureId) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update captures set updated_at = now(), refunded_paise = least(amount_paise, (
            select coalesce(sum(refund.amount_paise), 0) from refunds refund
            where refund.capture_id = captures.id and refund.state <> 'failed'
        ))
        where id = $1
        ",
        capture.0
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Marks a refund as processed, and its booking as refunded if the capture that paid it is refunded in full.
pub(super) async fn finish(
    connection: &mut PgConnection,
    booking: &Booking,
    id: RefundId,
    actor: &Actor,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update refunds set state = 'processed', updated_at = now() where id = $1
        returning write_event($2, $5, $3, $3, $4) as event,
            write_message($6, jsonb_build_object('booking_id', $2::bigint)) as message
        ",
        id.0,
        booking.id.0,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        Event::Refunded as Event,
        Message::BookingRefunded as Message
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!(
        "
        update bookings set payment_status = 'refunded', version = version + 1, updated_at = now()
        from captures capture
        where bookings.id = $1 and bookings.payment_status = 'completed'
            and capture.booking_id = bookings.id and capture.pays_booking
            and capture.amount_paise <= (
                select coalesce(sum(refund.amount_paise), 0) from refunds refund
                where refund.capture_id = capture.id and refund.state = 'processed'
            )
        ",
        booking.id.0
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Marks a refund as failed: it can be requested again, and a person must look at it.
pub(super) async fn fail(connection: &mut PgConnection, booking: &Booking, id: RefundId) -> sqlx::Result<()> {
    error!(booking.id = booking.id.0, refund.id = id.0, "a refund has failed");
    metrics::count(Count::RefundsFailed);
    let failed = sqlx::query!(
        "
        update refunds set state = 'failed', updated_at = now() where id = $1
        returning capture_id, write_event($2, $4, $3, $3, 'razorpay') as event,
            write_message($5, jsonb_build_object('booking_id', $2::bigint)) as message
        ",
        id.0,
        booking.id.0,
        booking.booking_status as BookingStatus,
        Event::RefundFailed as Event,
        Message::RefundFailed as Message
    )
    .fetch_one(&mut *connection)
    .await?;
    count(connection, CaptureId(failed.capture_id)).await
}

/// Takes back a queued refund that Razorpay was never asked for. No person has to look at it.
pub(super) async fn withdraw(connection: &mut PgConnection, id: RefundId) -> sqlx::Result<()> {
    let capture = sqlx::query_scalar!(
        "update refunds set state = 'failed', updated_at = now() where id = $1 returning capture_id",
        id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    count(connection, CaptureId(capture)).await
}

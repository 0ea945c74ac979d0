//! What the jobs do with a refund: request it from Razorpay, ask for its state, give it up.

use sqlx::{PgConnection, PgExecutor};

use super::{
    outcome::{fail, withdraw},
    queue::{left, queue},
    rests::{LEAST_ONLINE_PAISE, write_off},
};
use crate::{
    Result,
    bookings::{Actor, booking, status::BookingStatus},
    ids::{BookingId, CaptureId, RefundId},
    payments::states::RefundState,
};

/// A refund to request from Razorpay.
#[derive(Debug)]
pub struct Queued {
    pub idempotency_key: String,
    pub amount_paise: i64,
    pub gateway_payment_id: String,
    pub state: RefundState,
    /// Queued for more than five minutes: Razorpay may have it already, as after a restore of the database.
    pub is_old: bool,
}

pub async fn find(executor: impl PgExecutor<'_>, id: RefundId) -> sqlx::Result<Queued> {
    sqlx::query_as!(
        Queued,
        r#"
        select refund.idempotency_key, refund.amount_paise, refund.state as "state: RefundState",
            capture.gateway_payment_id as "gateway_payment_id!",
            refund.created_at < now() - interval '5 minutes' as "is_old!"
        from refunds refund join captures capture on capture.id = refund.capture_id
        where refund.id = $1
        "#,
        id.0
    )
    .fetch_one(executor)
    .await
}

/// Claims a pending refund and returns its payment id, to ask Razorpay for its state. The interval between checks is a
/// tenth of the refund's age, at least ten minutes.
pub async fn claim_pending(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        update refunds set updated_at = now()
        from captures capture
        where capture.id = refunds.capture_id and refunds.id = (
            select id from refunds
            where state = 'pending'
                and updated_at < now() - greatest((now() - created_at) / 10, interval '10 minutes')
            order by updated_at limit 1 for update skip locked
        )
        returning capture.gateway_payment_id as "payment_id!"
        "#
    )
    .fetch_optional(executor)
    .await
}

/// Notes that Razorpay refused a queued refund for a reason that may pass. People see it, and it is tried again.
pub async fn refuse(executor: impl PgExecutor<'_>, id: RefundId) -> sqlx::Result<()> {
    sqlx::query!("update refunds set refused_at = now() where id = $1 and state = 'queued'", id.0)
        .execute(executor)
        .await
        .map(drop)
}

/// Fails a queued refund that Razorpay cannot make. If a part of the money was refunded elsewhere meanwhile and the rest
/// must still go back, queues a refund of the rest.
pub async fn give_up(connection: &mut PgConnection, id: RefundId) -> Result<()> {
    let booking_id =
        sqlx::query_scalar!("select booking_id from refunds where id = $1", id.0).fetch_one(&mut *connection).await?;
    let booking = booking::lock(connection, BookingId(booking_id)).await?;
    let refund = sqlx::query!(
        r#"
        select refund.state as "state: RefundState", refund.amount_paise, refund.reason, capture.id as capture_id, capture.pays_booking
        from refunds refund join captures capture on capture.id = refund.capture_id
        where refund.id = $1
        "#,
        id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    if refund.state != RefundState::Queued {
        return Ok(());
    }
    if refund.amount_paise < LEAST_ONLINE_PAISE {
        // Of before such rests were written off.
        withdraw(connection, id).await?;
    } else {
        fail(connection, &booking, id).await?;
    }
    let capture = CaptureId(refund.capture_id);
    let left = left(connection, capture).await?;
    let must_go_back = !refund.pays_booking || booking.booking_status == BookingStatus::Cancelled;
    if must_go_back && (LEAST_ONLINE_PAISE..refund.amount_paise).contains(&left) {
        queue(connection, &booking, capture, left, &refund.reason, &Actor::System).await?;
    }
    write_off(connection, Some(booking.id)).await?;
    Ok(())
}

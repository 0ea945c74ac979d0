//! Disputes: a customer's bank wants a payment back, and the shop must answer before a deadline.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tracing::error;

use crate::{
    Result,
    bookings::{Booking, booking, status::BookingStatus, timeline::Event},
    ids::BookingId,
    metrics::{self, Count},
    money::Money,
    razorpay::Dispute,
};

/// Applies Razorpay's state of a dispute. One that has ended stays so, because webhooks arrive in any order.
pub async fn record(connection: &mut PgConnection, dispute: &Dispute) -> Result<()> {
    let mut booking = lock_booking(connection, &dispute.payment_id).await?;
    if booking.is_none() {
        take_turn(connection, &dispute.payment_id).await?;
        // Its own statement: the payment may have been recorded while this one waited.
        booking = lock_booking(connection, &dispute.payment_id).await?;
    }
    if insert(connection, dispute).await? {
        error!(dispute.id, payment.id = dispute.payment_id, "a payment is disputed, and must be answered in time");
        metrics::count(Count::DisputesOpened);
        if let Some(booking) = &booking {
            tell(connection, booking, Event::Disputed, &about(dispute.amount, respond_by(dispute))).await?;
        }
        if let Some(booking) = booking.filter(|_| has_ended(&dispute.status)) {
            tell(connection, &booking, Event::DisputeEnded, &dispute.status).await?;
        }
        return Ok(());
    }
    let moved = sqlx::query!(
        "
        update disputes set status = $2, deducted_paise = $3, phase = $4, respond_by = coalesce($5, respond_by), updated_at = now()
        where dispute_id = $1 and status not in ('won', 'lost', 'closed')
        ",
        dispute.id,
        dispute.status,
        dispute.amount_deducted.unwrap_or_default(),
        dispute.phase.as_deref().unwrap_or_default(),
        respond_by(dispute)
    )
    .execute(&mut *connection)
    .await?;
    if let Some(booking) = booking.filter(|_| has_ended(&dispute.status) && moved.rows_affected() > 0) {
        tell(connection, &booking, Event::DisputeEnded, &dispute.status).await?;
    }
    Ok(())
}

/// Locks the booking of a captured payment, if that is known here.
async fn lock_booking(connection: &mut PgConnection, payment_id: &str) -> Result<Option<Booking>> {
    let disputed = sqlx::query_scalar!(
        "select booking_id from captures where gateway_payment_id = $1 and state = 'captured'",
        payment_id
    )
    .fetch_optional(&mut *connection)
    .await?;
    match disputed {
        Some(id) => booking::lock(connection, BookingId(id)).await.map(Some),
        None => Ok(None),
    }
}

/// Makes a dispute and its payment wait for each other's transaction, if both are new: one of them puts the dispute on the
/// timeline.
async fn take_turn(connection: &mut PgConnection, payment_id: &str) -> sqlx::Result<()> {
    sqlx::query!(r#"select pg_advisory_xact_lock(hashtextextended($1, 0)) as "turn: ()""#, payment_id)
        .fetch_one(connection)
        .await
        .map(drop)
}

/// Inserts a dispute; `false` if it is known.
async fn insert(connection: &mut PgConnection, dispute: &Dispute) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "
        insert into disputes (
            dispute_id, gateway_payment_id, amount_paise, deducted_paise, currency, reason, phase, status, respond_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (dispute_id) do nothing
        ",
        dispute.id,
        dispute.payment_id,
        dispute.amount,
        dispute.amount_deducted.unwrap_or_default(),
        dispute.currency.as_deref().unwrap_or("INR"),
        dispute.reason_code.as_deref().unwrap_or_default(),
        dispute.phase.as_deref().unwrap_or_default(),
        dispute.status,
        respond_by(dispute)
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Puts the disputes of a payment on the timeline that were told before the payment itself.
pub(super) async fn catch_up(connection: &mut PgConnection, booking: &Booking, payment_id: &str) -> sqlx::Result<()> {
    take_turn(connection, payment_id).await?;
    let disputes = sqlx::query!(
        "select amount_paise, respond_by, status from disputes where gateway_payment_id = $1 order by id",
        payment_id
    )
    .fetch_all(&mut *connection)
    .await?;
    for dispute in disputes {
        tell(connection, booking, Event::Disputed, &about(dispute.amount_paise, dispute.respond_by)).await?;
        if has_ended(&dispute.status) {
            tell(connection, booking, Event::DisputeEnded, &dispute.status).await?;
        }
    }
    Ok(())
}

async fn tell(connection: &mut PgConnection, booking: &Booking, event: Event, reason: &str) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select write_event($1, $2, $3, $3, 'razorpay', $4) as "event: ()""#,
        booking.id.0,
        event as Event,
        booking.booking_status as BookingStatus,
        reason
    )
    .fetch_one(connection)
    .await
    .map(drop)
}

fn has_ended(status: &str) -> bool {
    matches!(status, "won" | "lost" | "closed")
}

fn respond_by(dispute: &Dispute) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(dispute.respond_by?, 0)
}

fn about(amount_paise: i64, respond_by: Option<DateTime<Utc>>) -> String {
    let amount = Money::from_paise(amount_paise);
    respond_by.map_or_else(
        || amount.to_string(),
        |deadline| format!("{amount}, to be answered by {}", deadline.format("%Y-%m-%d %H:%M UTC")),
    )
}

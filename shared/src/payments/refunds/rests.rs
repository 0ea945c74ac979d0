//! Rests of online payments that are below Razorpay's minimum: they cannot be given back, and are written off by rule.

use sqlx::PgConnection;

use crate::{Result, bookings::timeline::Event, ids::BookingId};

/// Razorpay's minimum refund.
pub const LEAST_ONLINE_PAISE: i64 = 100;

const REASON: &str = "written off: below 1.00, the least that Razorpay gives back";

/// Writes off the rests that should go back and cannot, of one booking or of all: they are accepted as they are, with a
/// line on the timeline. Returns how many. Idempotent.
pub async fn write_off(connection: &mut PgConnection, booking: Option<BookingId>) -> Result<usize> {
    let written = sqlx::query!(
        r#"
        with rest as (
            insert into accepted_mismatches (mismatch, subject_id, booking_id, reason, actor)
            select 'not_given_back'::mismatch, capture_id, booking_id, $2, 'system'
            from money_not_given_back
            where left_paise < $3 and ($1::bigint is null or booking_id = $1)
            union all
            select 'failed_refund', refund_id, failed.booking_id, $2, 'system'
            from money_failed_refunds failed join captures capture on capture.id = failed.capture_id
            where failed.state = 'failed' and capture.amount_paise - capture.refunded_paise < $3
                and capture.gateway_payment_id is not null and ($1::bigint is null or failed.booking_id = $1)
            on conflict (mismatch, subject_id) do nothing
            returning booking_id
        )
        select booking.id, write_event(booking.id, $4, booking_status, booking_status, 'system', $2) as "event: ()"
        from bookings booking where booking.id in (select booking_id from rest)
        "#,
        booking.map(|id| id.0),
        REASON,
        LEAST_ONLINE_PAISE,
        Event::WrittenOff as Event
    )
    .fetch_all(connection)
    .await?;
    Ok(written.len())
}

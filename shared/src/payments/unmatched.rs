//! What Razorpay told of money for which there is no row: a person must look at it.

use sqlx::PgConnection;
use tracing::error;

use crate::{
    Result,
    bookings::{booking, status::BookingStatus, timeline::Event},
    ids::BookingId,
    metrics::{self, Count},
};

/// An entry to write down.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmatched<'a> {
    /// Razorpay's id of it, or of the webhook that told it. Each is written once.
    pub entity_id: &'a str,
    /// `payment`, `refund`, `adjustment` … of the settlement report, or `webhook`.
    pub kind: &'a str,
    pub booking: Option<BookingId>,
    pub order_id: Option<&'a str>,
    pub payment_id: Option<&'a str>,
    pub amount_paise: i64,
    pub currency: &'a str,
    pub reason: &'a str,
}

/// Writes an entry, and a line on the timeline of its booking; `true` if it is new.
pub async fn write(connection: &mut PgConnection, told: Unmatched<'_>) -> Result<bool> {
    let booking = match told.booking {
        Some(id) => Some(booking::lock(connection, id).await?),
        None => None,
    };
    let written = sqlx::query!(
        "
        insert into unmatched_entries (
            entity_id, kind, booking_id, order_id, gateway_payment_id, amount_paise, currency, reason
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (entity_id) do nothing
        ",
        told.entity_id,
        told.kind,
        told.booking.map(|id| id.0),
        told.order_id,
        told.payment_id,
        told.amount_paise,
        told.currency,
        told.reason
    )
    .execute(&mut *connection)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    error!(entity.id = told.entity_id, kind = told.kind, reason = told.reason, "Razorpay told of money without a row");
    metrics::count(Count::PaymentMismatches);
    if let Some(booking) = booking {
        sqlx::query!(
            r#"select write_event($1, $2, $3, $3, 'razorpay', $4) as "event: ()""#,
            booking.id.0,
            Event::PaymentMismatch as Event,
            booking.booking_status as BookingStatus,
            told.reason
        )
        .fetch_one(connection)
        .await?;
    }
    Ok(true)
}

//! The timeline of a booking: events with time and actor. Append-only: the schema's `write_event` writes to it, and only the
//! erasure of a customer takes words out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use super::status::BookingStatus;
use crate::ids::{BookingId, CustomerId};

/// What happened to a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Encode, sqlx::Decode)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
#[schema(as = BookingEventKind)]
pub enum Event {
    Created,
    Confirmed,
    InProgress,
    Completed,
    Cancelled,
    Rescheduled,
    /// Rescheduled into a full slot.
    Overbooked,
    NotesChanged,
    /// Notes of the shop's people, which the customer's timeline leaves out.
    InternalNotesChanged,
    /// A service was added or removed.
    ServicesChanged,
    Paid,
    RefundRequested,
    Refunded,
    RefundFailed,
    /// A payment arrived whose amount or currency is not that of its order.
    PaymentMismatch,
    /// The customer's bank wants a payment back.
    Disputed,
    /// A dispute was won, lost or closed.
    DisputeEnded,
    /// A rest that Razorpay cannot give back, because it is below its minimum, is kept.
    WrittenOff,
    /// Links that manage the booking work no more.
    LinksRevoked,
}

crate::database::kept_as_text!(Event);

impl From<BookingStatus> for Event {
    /// The event of a change to this status.
    fn from(status: BookingStatus) -> Self {
        match status {
            BookingStatus::Pending => Self::Created,
            BookingStatus::Confirmed => Self::Confirmed,
            BookingStatus::InProgress => Self::InProgress,
            BookingStatus::Completed => Self::Completed,
            BookingStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// An entry of the timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingEvent)]
pub struct Entry {
    #[serde(with = "crate::http::time")]
    at: DateTime<Utc>,
    event: Event,
    /// Null for `created`; equal to `to_status` where the status stays.
    #[schema(required)]
    from_status: Option<BookingStatus>,
    to_status: BookingStatus,
    /// `customer`, `staff:<label>`, `razorpay` or `system`.
    #[schema(example = "customer")]
    actor: String,
}

/// The newest 500 entries, oldest first, without what only concerns the shop's people.
pub async fn list(executor: impl PgExecutor<'_>, booking: BookingId) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as!(
        Entry,
        r#"
        select created_at as at, event as "event: Event", from_status as "from_status: BookingStatus",
            to_status as "to_status: BookingStatus", actor
        from (
            select * from booking_events where booking_id = $1 and event <> 'internal_notes_changed'
            order by id desc limit 500
        ) as newest
        order by id
        "#,
        booking.0
    )
    .fetch_all(executor)
    .await
}

/// Changes of a booking that hold no words of a person. Erasure empties every other one, and so also those that are
/// recorded one day and not listed here.
const WITHOUT_WORDS: [&str; 4] = ["appointment", "service", "service_location", "total_amount"];

/// Takes the words of people out of the timelines of a customer's bookings.
pub async fn forget(connection: &mut PgConnection, customer: CustomerId) -> sqlx::Result<()> {
    // The trigger of the timeline lets words be taken out only by a transaction that says this.
    sqlx::query!("select set_config('app.erases_customer', 'yes', true) as erases").fetch_one(&mut *connection).await?;
    sqlx::query!(
        "
        update booking_events
        set reason = '', changes = (
            select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(changes) where key = any ($2)
        )
        where (reason <> '' or changes <> '{}') and booking_id in (select id from bookings where customer_id = $1)
        ",
        customer.0,
        &WITHOUT_WORDS.map(ToOwned::to_owned)
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("select set_config('app.erases_customer', '', true) as erases").fetch_one(connection).await?;
    Ok(())
}

//! The notes of a booking.

use sqlx::PgConnection;

use super::{Actor, Booking, status::BookingStatus, timeline::Event};

/// Maximum length in characters.
pub const LONGEST: usize = 1000;

/// Updates the notes of a locked booking. Equal notes write nothing.
pub async fn rewrite(
    connection: &mut PgConnection,
    mut booking: Booking,
    notes: String,
    actor: &Actor,
) -> sqlx::Result<Booking> {
    if notes == booking.notes {
        return Ok(booking);
    }
    let written = sqlx::query!(
        "
        update bookings set notes = $4, version = version + 1, updated_at = now()
        where id = $1
        returning updated_at, write_event($1, $5, $2, $2, $3) as event
        ",
        booking.id.0,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        notes,
        Event::NotesChanged as Event
    )
    .fetch_one(connection)
    .await?;
    (booking.notes, booking.updated_at) = (notes, written.updated_at);
    Ok(booking)
}

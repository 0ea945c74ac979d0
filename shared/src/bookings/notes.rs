//! The notes of a booking: those that its customer sees, and those of the shop's people.

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
        returning updated_at, version, write_event($1, $5, $2, $2, $3, '', jsonb_build_object('notes', array[$6, $4])) as event
        ",
        booking.id.0,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        notes,
        Event::NotesChanged as Event,
        booking.notes
    )
    .fetch_one(connection)
    .await?;
    booking.customer_notes.clone_from(&notes);
    (booking.notes, booking.updated_at, booking.version) = (notes, written.updated_at, written.version);
    Ok(booking)
}

/// Updates the notes of the shop's people on a locked booking. Equal notes write nothing.
pub async fn rewrite_internal(
    connection: &mut PgConnection,
    mut booking: Booking,
    notes: String,
    actor: &Actor,
) -> sqlx::Result<Booking> {
    if notes == booking.internal_notes {
        return Ok(booking);
    }
    let written = sqlx::query!(
        "
        update bookings set internal_notes = $4, version = version + 1, updated_at = now()
        where id = $1
        returning updated_at, version,
            write_event($1, $5, $2, $2, $3, '', jsonb_build_object('internal_notes', array[$6, $4])) as event
        ",
        booking.id.0,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        notes,
        Event::InternalNotesChanged as Event,
        booking.internal_notes
    )
    .fetch_one(connection)
    .await?;
    (booking.internal_notes, booking.updated_at, booking.version) = (notes, written.updated_at, written.version);
    Ok(booking)
}

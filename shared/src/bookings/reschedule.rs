//! Moves a booking to another time: takes the new quarters and frees the old ones in one statement.

use chrono::{NaiveDate, NaiveTime};
use sqlx::PgConnection;

use super::{
    Actor, Booking, appointment,
    facts::{self, Question},
    slot_usage::{self, Refused, Visit},
    status::BookingStatus,
    timeline::Event,
    transition::illegal,
};
use crate::{Error, Result, outbox::Message};

/// Rules that a move must obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Calendar and capacity.
    All,
    /// The calendar only: a full slot is overbooked, and the timeline records it.
    Overbook,
}

/// Moves a locked booking. Idempotent: the same time changes nothing.
pub async fn move_to(
    connection: &mut PgConnection,
    mut booking: Booking,
    (date, time): (NaiveDate, NaiveTime),
    actor: &Actor,
    rules: Rules,
) -> Result<Booking, Refused> {
    if !booking.booking_status.is_up_to_customer() {
        return Err(illegal(booking.booking_status).into());
    }
    let old = booking.visit();
    if (old.date, old.time) == (date, time) {
        return Ok(booking);
    }
    let facts = facts::load(&mut *connection, Question::day(date)).await?;
    let day = facts.days.get(&date);
    let occupied =
        appointment::check((date, time), old.duration_minutes, day, &facts.window).map_err(Error::Validation)?;
    let new = Visit { date, time, occupied, ..old.clone() };
    let capacity = facts.capacity(new.location);
    // The rows of its quarters have the most lock contention, so they are locked last, unless the event depends on the
    // outcome.
    match rules {
        Rules::All => {
            write(connection, &mut booking, &new, actor, Event::Rescheduled).await?;
            slot_usage::swap(connection, capacity, &old, &new).await?;
        }
        Rules::Overbook => {
            let is_overbooked = slot_usage::force(connection, capacity, &old, &new).await?;
            let event = if is_overbooked { Event::Overbooked } else { Event::Rescheduled };
            write(connection, &mut booking, &new, actor, event).await?;
        }
    }
    Ok(booking)
}

async fn write(
    connection: &mut PgConnection,
    booking: &mut Booking,
    new: &Visit,
    actor: &Actor,
    event: Event,
) -> Result<()> {
    let occupied_minutes = i32::try_from(new.occupied.minutes()).map_err(Error::internal)?;
    let written = sqlx::query!(
        "
        update bookings set
            appointment_date = $3, appointment_time = $4, occupied_minutes = $5, slot_times = quarters($4, $5),
            version = version + 1, updated_at = now(), access_token_expires_at = access_token_expiry($3, $4)
        where id = $1
        returning updated_at, write_event($1, $6, $2, $2, $7) as event,
            write_message($8, jsonb_build_object('booking_id', $1::bigint)) as message
        ",
        booking.id.0,
        booking.booking_status as BookingStatus,
        new.date,
        new.time,
        occupied_minutes,
        event as Event,
        actor.to_string(),
        Message::BookingRescheduled as Message
    )
    .fetch_one(connection)
    .await?;
    (booking.appointment_date, booking.appointment_time) = (new.date, new.time);
    (booking.occupied_minutes, booking.updated_at) = (occupied_minutes, written.updated_at);
    Ok(())
}

//! Moves a booking to another time or place: takes the new quarters and frees the old ones in one statement.

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use super::{
    Actor, Booking,
    appointment::{self, Rules},
    facts::{self, Question},
    slot_usage::{self, Refused, Room, Visit},
    status::{BookingStatus, ServiceLocation},
    timeline::Event,
    transition::illegal,
    unproved::Limits,
};
use crate::{Error, Result, outbox::Message};

/// When and where the work is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    pub date: NaiveDate,
    /// Start, on the shop's clock.
    pub time: NaiveTime,
    pub location: ServiceLocation,
    /// Empty at the shop.
    pub address: String,
}

impl Booking {
    pub fn appointment(&self) -> Appointment {
        Appointment {
            date: self.appointment_date,
            time: self.appointment_time,
            location: self.service_location,
            address: self.address.clone(),
        }
    }
}

/// Moves a locked booking, within the limits of unproved ones if it is one. Idempotent: the same appointment changes nothing.
pub async fn move_to(
    connection: &mut PgConnection,
    mut booking: Booking,
    wanted: Appointment,
    actor: &Actor,
    rules: Rules,
    limits: Limits,
) -> Result<Booking, Refused> {
    if !booking.booking_status.is_up_to_customer() {
        return Err(illegal(booking.booking_status).into());
    }
    if booking.appointment() == wanted {
        return Ok(booking);
    }
    if wanted.location == ServiceLocation::Home && wanted.address.is_empty() {
        return Err(Error::field("address", "This field is required.").into());
    }
    let old = booking.visit();
    let mut new = Visit { location: wanted.location, date: wanted.date, time: wanted.time, ..old.clone() };
    let facts = facts::load(&mut *connection, Question::day(wanted.date)).await?;
    // Another address at the same time keeps what the booking occupies, also if the hours have changed since.
    if (old.date, old.time) != (new.date, new.time) {
        let day = facts.days.get(&wanted.date);
        let time = (wanted.date, wanted.time);
        new.occupied =
            appointment::check(time, old.duration_minutes, day, &facts.window, rules).map_err(Error::Validation)?;
    }
    let capacity = facts.capacity(new.location);
    let room = if booking.is_unproved { limits.room(capacity) } else { Room { capacity, unproved: None } };
    // The rows of its quarters have the most lock contention, so they are locked last, unless the event depends on the
    // outcome.
    if rules == Rules::Overbook {
        let is_overbooked = slot_usage::force(connection, room, Some(&old), &new).await?;
        let event = if is_overbooked { Event::Overbooked } else { Event::Rescheduled };
        write(connection, &mut booking, &wanted, &new, actor, event).await?;
    } else {
        write(connection, &mut booking, &wanted, &new, actor, Event::Rescheduled).await?;
        slot_usage::swap(connection, room, &old, &new).await?;
    }
    Ok(booking)
}

/// What differs, by name: the old value and the new one.
fn changes(booking: &Booking, wanted: &Appointment) -> Value {
    let mut changes = Map::new();
    let mut note = |name: &str, old: Value, new: Value| {
        if old != new {
            changes.insert(name.to_owned(), json!([old, new]));
        }
    };
    let start = |date: NaiveDate, time: NaiveTime| json!(date.and_time(time).format("%Y-%m-%d %H:%M").to_string());
    note("appointment", start(booking.appointment_date, booking.appointment_time), start(wanted.date, wanted.time));
    note("service_location", json!(booking.service_location), json!(wanted.location));
    note("address", json!(booking.address), json!(wanted.address));
    Value::Object(changes)
}

async fn write(
    connection: &mut PgConnection,
    booking: &mut Booking,
    wanted: &Appointment,
    new: &Visit,
    actor: &Actor,
    event: Event,
) -> Result<()> {
    let occupied_minutes = i32::try_from(new.occupied.minutes()).map_err(Error::internal)?;
    let written = sqlx::query!(
        "
        update bookings set
            appointment_date = $3, appointment_time = $4, occupied_minutes = $5, slot_times = quarters($4, $5),
            service_location = $9, address = $10, version = version + 1, updated_at = now(),
            access_token_expires_at = access_token_expiry($3, $4)
        where id = $1
        returning updated_at, version, write_event($1, $6, $2, $2, $7, '', $11) as event,
            write_message($8, jsonb_build_object('booking_id', $1::bigint)) as message
        ",
        booking.id.0,
        booking.booking_status as BookingStatus,
        new.date,
        new.time,
        occupied_minutes,
        event as Event,
        actor.to_string(),
        Message::BookingRescheduled as Message,
        wanted.location as ServiceLocation,
        wanted.address,
        changes(booking, wanted)
    )
    .fetch_one(connection)
    .await?;
    (booking.appointment_date, booking.appointment_time) = (new.date, new.time);
    (booking.service_location, booking.address) = (wanted.location, wanted.address.clone());
    (booking.occupied_minutes, booking.updated_at, booking.version) =
        (occupied_minutes, written.updated_at, written.version);
    Ok(())
}

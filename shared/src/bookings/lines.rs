//! Services of a booking, added and removed by the shop's people: its length, its time and its total follow.

use serde_json::json;
use sqlx::PgConnection;

use super::{
    Actor, Booking,
    appointment::Rules,
    booking,
    facts::{self, Facts, Question},
    occupied::Occupied,
    slot_usage::{self, Refused, Room, Visit},
    status::{BookingStatus, PaymentStatus},
    timeline::Event,
};
use crate::{Error, Faults, Result, ids::ServiceId, money::Money, payments::orders};

/// A change of a booking's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds the service at its present price for the model.
    Add(ServiceId),
    /// Removes the service; the last one stays.
    Remove(ServiceId),
}

impl Booking {
    /// Whether its services can change: while it is neither paid nor finished.
    pub fn has_open_lines(&self) -> bool {
        self.payment_status == PaymentStatus::Pending
            && !matches!(self.booking_status, BookingStatus::Completed | BookingStatus::Cancelled)
    }
}

/// Changes the services of a locked booking. Idempotent: a service that is there is not added again, one that is not there
/// not removed. An online order for the old total is closed.
pub async fn change(
    connection: &mut PgConnection,
    booking: Booking,
    change: Change,
    actor: &Actor,
    rules: Rules,
) -> Result<Booking, Refused> {
    let (Change::Add(service) | Change::Remove(service)) = change;
    let line = booking.booking_services.iter().find(|line| line.service == service);
    if line.is_some() == matches!(change, Change::Add(_)) {
        return Ok(booking);
    }
    if booking.payment_status != PaymentStatus::Pending {
        return Err(Error::AlreadyPaid.into());
    }
    if !booking.has_open_lines() {
        return Err(fault("This booking is finished: its services stay as they are.").into());
    }
    if line.is_some() && booking.booking_services.len() == 1 {
        return Err(fault("A booking has at least one service. Cancel the booking instead.").into());
    }
    let date = booking.appointment_date;
    let services = [service];
    let question = Question { model: Some(booking.vehicle_model), services: &services, ..Question::day(date) };
    let facts = facts::load(&mut *connection, question).await?;
    let price = match line {
        Some(line) => Money::from_paise(-line.price.paise()),
        None => price(&facts, service)?,
    };
    write(connection, &booking, change, price, actor).await?;
    let old = booking.visit();
    let new = visit(connection, &booking, &facts, rules).await?;
    // An order for the old total is not to be paid any more.
    orders::close(&mut *connection, booking.id).await?;
    let room = Room::unlimited(facts.capacity(new.location), booking.is_unproved);
    if rules != Rules::Overbook {
        slot_usage::swap(connection, room, &old, &new).await?;
    } else if slot_usage::force(connection, room, Some(&old), &new).await? {
        sqlx::query!(
            "select write_event($1, $2, $3, $3, $4) as event",
            booking.id.0,
            Event::Overbooked as Event,
            booking.booking_status as BookingStatus,
            actor.to_string()
        )
        .fetch_one(&mut *connection)
        .await?;
    }
    Ok(booking::find(connection, booking.id).await?)
}

fn fault(sentence: &str) -> Error {
    Error::field("service_ids", sentence)
}

fn price(facts: &Facts, service: ServiceId) -> Result<Money> {
    match facts.services.iter().find(|known| known.id == service) {
        None => Err(fault("This service is not on offer.")),
        Some(known) => known
            .price_paise
            .map(Money::from_paise)
            .ok_or_else(|| fault(&format!("{} is not offered for this vehicle model.", known.name))),
    }
}

/// Writes the line, the total and the length, which is that of all services now.
async fn write(
    connection: &mut PgConnection,
    booking: &Booking,
    change: Change,
    price: Money,
    actor: &Actor,
) -> Result<()> {
    match change {
        Change::Add(service) => {
            sqlx::query!(
                "insert into booking_services (booking_id, service_id, price_paise) values ($1, $2, $3)",
                booking.id.0,
                service.0,
                price.paise()
            )
            .execute(&mut *connection)
            .await?
        }
        Change::Remove(service) => {
            sqlx::query!(
                "delete from booking_services where booking_id = $1 and service_id = $2",
                booking.id.0,
                service.0
            )
            .execute(&mut *connection)
            .await?
        }
    };
    let (Change::Add(service) | Change::Remove(service)) = change;
    let total = Money::from_paise(booking.total_amount.paise() + price.paise());
    let name =
        sqlx::query_scalar!("select name from services where id = $1", service.0).fetch_one(&mut *connection).await?;
    let line = match change {
        Change::Add(_) => json!([null, name]),
        Change::Remove(_) => json!([name, null]),
    };
    let changes = json!({ "service": line, "total_amount": [booking.total_amount, total] });
    sqlx::query!(
        "
        update bookings set total_paise = $2, version = version + 1, updated_at = now(),
            duration_minutes = (
                select sum(service.duration_minutes)
                from booking_services line join services service on service.id = line.service_id
                where line.booking_id = $1
            )
        where id = $1
        returning write_event($1, $3, $4, $4, $5, '', $6) as event
        ",
        booking.id.0,
        total.paise(),
        Event::ServicesChanged as Event,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        changes
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Writes and returns what the booking occupies with its new length, from the same start.
async fn visit(connection: &mut PgConnection, booking: &Booking, facts: &Facts, rules: Rules) -> Result<Visit> {
    let old = booking.visit();
    let minutes = sqlx::query_scalar!("select duration_minutes from bookings where id = $1", booking.id.0)
        .fetch_one(&mut *connection)
        .await?;
    let duration_minutes = u32::try_from(minutes).map_err(Error::internal)?;
    let occupied = match facts.days.get(&old.date) {
        Some(day) => day.occupied_under(rules, old.time, duration_minutes).ok_or_else(|| {
            let sentence = format!("The work would take {duration_minutes} minutes and not be done by closing time.");
            Error::Validation(Faults::from(("service_ids", sentence.as_str())))
        })?,
        // A day that was closed since the booking was made has no closing time.
        None => Occupied::new(old.time, duration_minutes),
    };
    sqlx::query!(
        "update bookings set occupied_minutes = $2, slot_times = quarters(appointment_time, $2) where id = $1",
        booking.id.0,
        i32::try_from(occupied.minutes()).map_err(Error::internal)?
    )
    .execute(connection)
    .await?;
    Ok(Visit { duration_minutes, occupied, ..old })
}

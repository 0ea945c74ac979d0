//! Changes of a booking, whoever makes them: its status and its time, and what follows from each.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sqlx::{PgConnection, Postgres, Transaction};

use super::{
    appointment,
    detail::{Detail, Stored},
    facts::{self, Question},
    free_slots,
    slot_usage::{self, Job, Refused},
    status::{BookingStatus, PaymentMethod, PaymentStatus},
};
use crate::{
    Error, Result,
    database::Database,
    metrics::{self, Count},
    payments, select_bookings,
};

/// Who changes a booking, as the timeline names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whose booking it is.
    Customer,
    /// Somebody of the shop, by the label of their key or account.
    Staff(String),
    /// Razorpay, by what it says of a payment.
    Razorpay,
    /// Nobody: one change follows from another.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => formatter.write_str("customer"),
            Self::Staff(label) => write!(formatter, "staff:{label}"),
            Self::Razorpay => formatter.write_str("razorpay"),
            Self::System => formatter.write_str("system"),
        }
    }
}

/// By which rules a booking is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those of the calendar and of capacity.
    All,
    /// Those of the calendar; a full slot is overbooked, and the timeline says so.
    Overbook,
}

/// Locks a booking for a change; 404 if there is none.
pub async fn lock(connection: &mut PgConnection, id: i64) -> Result<Stored> {
    let booking = select_bookings!("booking.id = $1 for update of booking", id).fetch_optional(connection).await?;
    booking.ok_or(Error::NotFound("Booking"))
}

/// Commits a success. Rolls a failure back and, where a slot was full, looks for the nearest free ones. Either way the
/// end is awaited: a frozen environment must not keep locks.
pub async fn end<T>(
    transaction: Transaction<'_, Postgres>,
    database: &Database,
    outcome: Result<T, Refused>,
) -> Result<T> {
    match outcome {
        Ok(value) => {
            transaction.commit().await?;
            Ok(value)
        }
        Err(refused) => {
            transaction.rollback().await?;
            match refused {
                Refused::Full(job) => {
                    metrics::count(Count::SlotsFull);
                    Err(Error::SlotFull(free_slots::nearest(database, &job).await?))
                }
                Refused::Failed(error) => Err(error),
            }
        }
    }
}

/// The error for a status that may not follow the present one.
pub fn illegal(from: BookingStatus) -> Error {
    Error::IllegalTransition(from.successors().iter().map(|status| status.as_str()).collect())
}

/// Gives a locked booking another status. The same status again changes nothing. What is cancelled frees its slots, and
/// what was paid online for it goes back; a cash booking that is completed has been paid.
pub async fn set_status(
    connection: &mut PgConnection,
    mut booking: Stored,
    to: BookingStatus,
    actor: &Actor,
    reason: &str,
) -> Result<Detail, Refused> {
    let from = booking.booking_status;
    if from == to {
        return Ok(booking.into());
    }
    if !from.successors().contains(&to) {
        return Err(illegal(from).into());
    }
    let updated_at = write_status(connection, booking.id, (from, to), actor, reason).await?;
    booking.booking_status = to;
    match to {
        BookingStatus::Cancelled => {
            payments::give_back_all(connection, &booking).await?;
            slot_usage::free(connection, &booking.job()).await?;
        }
        BookingStatus::Completed if is_unpaid_cash(&booking) => {
            payments::take_cash(connection, &mut booking, actor).await?;
        }
        _ => {}
    }
    Ok(Detail { booking_status: to, updated_at, ..booking.into() })
}

fn is_unpaid_cash(booking: &Stored) -> bool {
    booking.payment_method == PaymentMethod::Cash && booking.payment_status == PaymentStatus::Pending
}

async fn write_status(
    connection: &mut PgConnection,
    id: i64,
    (from, to): (BookingStatus, BookingStatus),
    actor: &Actor,
    reason: &str,
) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        "
        with event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor, reason)
            values ($1, $3::booking_status::text, $2, $3, $4, $5)
        ), message as (
            insert into outbox (kind, payload)
            values ('booking_' || $3::booking_status::text, jsonb_build_object('booking_id', $1::bigint))
        )
        update bookings set booking_status = $3, version = version + 1, updated_at = now()
        where id = $1
        returning updated_at
        ",
        id,
        from as BookingStatus,
        to as BookingStatus,
        actor.to_string(),
        reason
    )
    .fetch_one(connection)
    .await
}

/// Moves a locked booking to another time: takes the new slots and frees the old ones in one step. The same time again
/// changes nothing.
pub async fn move_to(
    connection: &mut PgConnection,
    booking: Stored,
    (date, time): (NaiveDate, NaiveTime),
    actor: &Actor,
    rules: Rules,
) -> Result<Detail, Refused> {
    if !booking.booking_status.is_up_to_customer() {
        return Err(illegal(booking.booking_status).into());
    }
    let old = booking.job();
    if (old.date, old.time) == (date, time) {
        return Ok(booking.into());
    }
    let facts = facts::load(&mut *connection, Question::day(date)).await?;
    let day = facts.days.get(&date);
    let slots =
        appointment::check((date, time), old.duration_minutes, day, &facts.window).map_err(Error::Validation)?;
    let new = Job { date, time, slots, ..old.clone() };
    let capacity = facts.capacity(new.location);
    let is_overbooked = match rules {
        Rules::All => {
            let updated_at = write_move(connection, &booking, &new, actor, "rescheduled").await?;
            slot_usage::swap(connection, capacity, &old, &new).await?;
            return Ok(Detail { appointment_date: date, appointment_time: time, updated_at, ..booking.into() });
        }
        Rules::Overbook => slot_usage::force(connection, capacity, &old, &new).await?,
    };
    let event = if is_overbooked { "overbooked" } else { "rescheduled" };
    let updated_at = write_move(connection, &booking, &new, actor, event).await?;
    Ok(Detail { appointment_date: date, appointment_time: time, updated_at, ..booking.into() })
}

async fn write_move(
    connection: &mut PgConnection,
    booking: &Stored,
    new: &Job,
    actor: &Actor,
    event: &str,
) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        "
        with event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor)
            values ($1, $6, $2, $2, $7)
        ), message as (
            insert into outbox (kind, payload) values ('booking_rescheduled', jsonb_build_object('booking_id', $1::bigint))
        )
        update bookings set
            appointment_date = $3, appointment_time = $4, slot_times = $5, version = version + 1, updated_at = now(),
            access_token_expires_at = (($3::date + $4::time) at time zone shop.time_zone) + interval '30 days'
        from (select time_zone from shops order by id limit 1) as shop
        where bookings.id = $1
        returning bookings.updated_at
        ",
        booking.id,
        booking.booking_status as BookingStatus,
        new.date,
        new.time,
        &new.slots,
        event,
        actor.to_string()
    )
    .fetch_one(connection)
    .await
}

//! Changes by the customer: before the visit, and a move only a few times. Later the shop's people make them.

use chrono::TimeDelta;
use sqlx::{PgConnection, PgExecutor};

use super::{
    Actor, Booking,
    appointment::Rules,
    reschedule::{self, Appointment},
    slot_usage::Refused,
    status::BookingStatus,
    timeline::Event,
    transition,
    unproved::Limits,
};
use crate::{
    Error, Result,
    config::{self, BOOKING_CHANGE_CUTOFF_MINUTES},
};

/// How often a customer moves a booking. Each move takes time that others were refused.
const MOST_MOVES: i64 = 5;

/// How long before the visit the customer's changes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff(pub TimeDelta);

impl Cutoff {
    /// Reads `BOOKING_CHANGE_CUTOFF_MINUTES`; 0 by default.
    pub fn from_env() -> Result<Self, config::Error> {
        let minutes: u32 = config::or_default(BOOKING_CHANGE_CUTOFF_MINUTES, 0)?;
        Ok(Self(TimeDelta::minutes(minutes.into())))
    }
}

/// Moves a locked booking for its customer. Idempotent: the same appointment changes nothing, however late.
pub async fn move_to(
    connection: &mut PgConnection,
    booking: Booking,
    wanted: Appointment,
    cutoff: Cutoff,
    limits: Limits,
) -> Result<Booking, Refused> {
    if booking.booking_status.is_up_to_customer() && booking.appointment() != wanted {
        check_move(&so_far(&mut *connection, &booking, cutoff).await?)?;
    }
    reschedule::move_to(connection, booking, wanted, &Actor::Customer, Rules::Customer, limits).await
}

/// Cancels a locked booking for its customer, which is allowed until work begins. Idempotent.
pub async fn cancel(
    connection: &mut PgConnection,
    booking: Booking,
    reason: &str,
    cutoff: Cutoff,
) -> Result<Booking, Refused> {
    let status = booking.booking_status;
    if status.is_up_to_customer() {
        check(&so_far(&mut *connection, &booking, cutoff).await?)?;
    } else if status != BookingStatus::Cancelled {
        // Only the shop changes the status once work has begun, so the list of allowed ones is empty.
        return Err(Error::IllegalTransition(Vec::new()).into());
    }
    transition::set_status(connection, booking, BookingStatus::Cancelled, &Actor::Customer, reason).await
}

/// Whether the customer may change a booking now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct May {
    pub cancel: bool,
    pub reschedule: bool,
}

/// Tells which changes would be refused now because of their time or number, for a page that offers them.
pub async fn may(executor: impl PgExecutor<'_>, booking: &Booking, cutoff: Cutoff) -> Result<May> {
    if !booking.booking_status.is_up_to_customer() {
        return Ok(May { cancel: false, reschedule: false });
    }
    let so_far = so_far(executor, booking, cutoff).await?;
    Ok(May { cancel: check(&so_far).is_ok(), reschedule: check_move(&so_far).is_ok() })
}

/// What counts against a change by the customer.
struct SoFar {
    moves: i64,
    has_begun: bool,
    is_too_late: bool,
    cutoff: Cutoff,
    shop_phone: String,
}

impl SoFar {
    fn refuse(&self, why: &str) -> Error {
        Error::TooLate(format!("{why}, please call the shop: {}.", self.shop_phone))
    }
}

/// Refuses a change after the cut-off.
fn check(so_far: &SoFar) -> Result<()> {
    if so_far.has_begun {
        return Err(so_far.refuse("The time of this booking has come. To change or cancel it"));
    }
    if so_far.is_too_late {
        let minutes = so_far.cutoff.0.num_minutes();
        return Err(
            so_far.refuse(&format!("Bookings can be changed until {minutes} minutes before. To change this one"))
        );
    }
    Ok(())
}

/// The same of a move, which is refused after too many.
fn check_move(so_far: &SoFar) -> Result<()> {
    check(so_far)?;
    if so_far.moves >= MOST_MOVES {
        let sentence = format!("You have moved this booking {MOST_MOVES} times. To move it again");
        return Err(so_far.refuse(&sentence));
    }
    Ok(())
}

/// The appointment is a moment: an hour that a clock skips or repeats counts as it passes.
async fn so_far(executor: impl PgExecutor<'_>, booking: &Booking, cutoff: Cutoff) -> Result<SoFar> {
    let found = sqlx::query!(
        r#"
        select now() > ($2::date + $3::time) at time zone shop.time_zone - $4::interval as "is_too_late!",
            ($2::date + $3::time) at time zone shop.time_zone <= now() as "has_begun!", shop.phone,
            (
                select count(*) from booking_events
                where booking_id = $1 and event = $5 and actor = $6
            ) as "moves!"
        from shops shop where shop.id = shop_id()
        "#,
        booking.id.0,
        booking.appointment_date,
        booking.appointment_time,
        cutoff.0 as TimeDelta,
        Event::Rescheduled as Event,
        Actor::Customer.to_string()
    )
    .fetch_optional(executor)
    .await?
    .ok_or(Error::NotFound("Shop"))?;
    Ok(SoFar {
        moves: found.moves,
        has_begun: found.has_begun,
        is_too_late: found.is_too_late,
        cutoff,
        shop_phone: found.phone,
    })
}

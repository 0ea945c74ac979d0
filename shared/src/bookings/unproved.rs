//! Unproved bookings: those whose number no session has proved, that are not paid, and that the shop's people neither made nor
//! confirmed. A stranger can make them for any number, so they are limited.

use aws_lc_rs::hmac;
use sqlx::{ConnectOptions, PgConnection, PgExecutor};

use super::{Booking, slot_usage::Room};
use crate::{
    Error, Result,
    config::{self, Variable},
    database::Database,
    ids::CustomerId,
    throttle,
};

/// Limits of unproved bookings; none where it is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open ones of one phone number.
    pub open_per_phone: Option<i32>,
    /// New ones from one IP address in 24 hours.
    pub a_day_per_address: Option<i32>,
    /// Of so many places at once one is kept for proved ones, and at least one of two or more.
    pub keep_one_in: Option<i32>,
    /// The longest job in minutes.
    pub longest_minutes: Option<i32>,
}

impl Limits {
    pub const OFF: Self =
        Self { open_per_phone: None, a_day_per_address: None, keep_one_in: None, longest_minutes: None };

    /// Reads `THROTTLE_UNPROVED_…`, each a number or `off`. `THROTTLE` switches all of them off.
    pub fn from_env() -> std::result::Result<Self, config::Error> {
        if throttle::is_off() {
            return Ok(Self::OFF);
        }
        Ok(Self {
            open_per_phone: limit(config::THROTTLE_UNPROVED_PER_PHONE, 2)?,
            a_day_per_address: limit(config::THROTTLE_UNPROVED_PER_IP, 10)?,
            keep_one_in: limit(config::THROTTLE_UNPROVED_KEEP_ONE_IN, 3)?.filter(|places| *places > 0),
            longest_minutes: limit(config::THROTTLE_UNPROVED_MINUTES, 360)?,
        })
    }

    /// The room for an unproved booking in a pool.
    pub fn room(&self, capacity: i32) -> Room {
        let kept = self.keep_one_in.filter(|_| capacity >= 2).map_or(0, |places| (capacity / places).max(1));
        Room { capacity, unproved: Some(if self.keep_one_in.is_some() { capacity - kept } else { i32::MAX }) }
    }

    /// Whether a job is short enough to be booked without a proof.
    pub fn admits(&self, duration_minutes: u32) -> bool {
        self.longest_minutes.is_none_or(|most| i64::from(duration_minutes) <= i64::from(most))
    }
}

/// A booking that its caller has not proved: its limits, and from where it comes.
#[derive(Clone, Copy, Debug)]
pub struct Unproved {
    pub limits: Limits,
    /// Of the IP address, with a key.
    pub address_hash: [u8; 32],
}

impl Unproved {
    /// A booking from an IP address. The key of the hash comes from the password of the database, which is not kept there: who
    /// reads a copy of the database cannot try all addresses. After a rotation the counts of a day begin anew.
    pub fn from_address(address: &str, limits: Limits, database: &Database) -> Self {
        let url = database.pool().connect_options().to_url_lossy();
        let secret = format!("addresses of unproved bookings:{}", url.password().unwrap_or_default());
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut address_hash = [0; 32];
        address_hash.copy_from_slice(hmac::sign(&key, address.as_bytes()).as_ref());
        Self { limits, address_hash }
    }
}

/// Notes that the number of a locked booking is proved by its caller's session.
pub async fn prove(connection: &mut PgConnection, booking: &mut Booking) -> Result<()> {
    if booking.is_unproved {
        sqlx::query!("update bookings set is_unproved = false where id = $1", booking.id.0).execute(connection).await?;
        booking.is_unproved = false;
    }
    Ok(())
}

/// Deletes the addresses that a customer's bookings came from.
pub async fn forget(executor: impl PgExecutor<'_>, customer: CustomerId) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from booking_addresses where booking_id in (select id from bookings where customer_id = $1)",
        customer.0
    )
    .execute(executor)
    .await
    .map(drop)
}

/// The constraints of a new booking.
const CONSTRAINTS: [&str; 2] = ["bookings_unproved_open_check", "bookings_unproved_day_check"];

/// The error for a new booking that Postgres refused.
pub(super) fn refusal(error: sqlx::Error) -> Error {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint.is_some_and(|name| CONSTRAINTS.contains(&name)) { Error::ProofNeeded } else { error.into() }
}

fn limit(variable: Variable, default: i32) -> std::result::Result<Option<i32>, config::Error> {
    let Some(value) = config::optional(variable) else { return Ok(Some(default)) };
    if value.trim().eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    value.trim().parse().ok().filter(|count| *count >= 0).map(Some).ok_or(variable.invalid())
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn a_third_of_a_pool_is_kept_and_at_least_one_place_of_two() {
        let limits = Limits { keep_one_in: Some(3), ..Limits::OFF };
        let rooms = [0, 1, 2, 3, 5, 6, 9].map(|capacity| limits.room(capacity).unproved);
        assert_eq!(rooms, [0, 1, 1, 2, 4, 4, 6].map(Some));
        assert_eq!(Limits::OFF.room(2).unproved, Some(i32::MAX));
    }
}

//! Keys: a booking's place in an order, from which the pages beside it are read.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};

use super::{super::Booking, ordering::Ordering};
use crate::{ids::BookingId, written::Written};

/// The value that a list is ordered by, and the id that tells equal ones apart. Values instead of the id alone, so that a
/// booking that is moved between two pages does not take the place along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Microseconds or paise.
    value: i64,
    pub id: i64,
}

impl Key {
    /// Behind all bookings by appointment: 9999-12-31.
    pub(super) const END: Self = Self { value: 253_402_214_400_000_000, id: i64::MAX };

    pub(super) fn of(booking: &Booking, ordering: Ordering) -> Self {
        let value = match ordering {
            Ordering::AppointmentDate | Ordering::AppointmentDateDown => {
                return Self::of_appointment(booking.appointment_date, booking.appointment_time, booking.id);
            }
            Ordering::CreatedAt | Ordering::CreatedAtDown => booking.created_at.timestamp_micros(),
            Ordering::TotalAmount | Ordering::TotalAmountDown => booking.total_amount.paise(),
        };
        Self { value, id: booking.id.0 }
    }

    /// In a list by appointment.
    pub fn of_appointment(date: NaiveDate, time: NaiveTime, id: BookingId) -> Self {
        Self { value: date.and_time(time).and_utc().timestamp_micros(), id: id.0 }
    }

    /// The value in a list by creation.
    pub(super) fn moment(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.value).unwrap_or_default()
    }

    /// The value in a list by appointment.
    pub fn appointment(self) -> (NaiveDate, NaiveTime) {
        (self.moment().date_naive(), self.moment().time())
    }

    /// The value in a list by total.
    pub(super) const fn paise(self) -> i64 {
        self.value
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.value, self.id)
    }
}

impl Written for Key {
    fn parse(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('.').and_then(|(value, id)| Some((value.parse().ok()?, id.parse().ok()?)));
        parsed
            .map(|(value, id)| Self { value, id })
            // Years that Postgres can store.
            .filter(|key| {
                DateTime::from_timestamp_micros(key.value).is_some_and(|moment| (1..=9999).contains(&moment.year()))
            })
            .ok_or_else(|| "Take this value from `next` or `previous` of a list.".to_owned())
    }

    fn rules() -> Value {
        json!({})
    }
}

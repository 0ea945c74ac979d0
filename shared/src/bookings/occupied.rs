//! What a job occupies of its day: a stretch of time, counted in quarters of an hour.

use chrono::NaiveTime;

use crate::day_minute::{DayMinute, QUARTER};

/// The stretch of a day in which a job has its bay or its crew. Kept with the booking as its start and `occupied_minutes`, so
/// that the booking frees what it took, also after a change of the shop's hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupied {
    from: DayMinute,
    /// Exclusive.
    until: DayMinute,
}

impl Occupied {
    /// So many minutes from a start, at most to the end of the day.
    pub fn new(start: impl Into<DayMinute>, minutes: u32) -> Self {
        let from = start.into();
        Self { from, until: DayMinute::at(from.minutes().saturating_add(minutes)).unwrap_or(DayMinute::END) }
    }

    /// As kept with a booking.
    pub fn stored(start: NaiveTime, minutes: i32) -> Self {
        Self::new(start, u32::try_from(minutes).unwrap_or_default())
    }

    pub fn until(self) -> DayMinute {
        self.until
    }

    pub fn minutes(self) -> u32 {
        self.until.minutes() - self.from.minutes()
    }

    /// Every quarter that it touches, as its start: what the SQL function `quarters` returns.
    pub fn quarters(self) -> impl Iterator<Item = DayMinute> {
        let quarters = self.from.minutes() / QUARTER..self.until.minutes().div_ceil(QUARTER);
        quarters.filter_map(|quarter| DayMinute::at(quarter * QUARTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarters(start: &str, minutes: u32) -> Vec<String> {
        let start: DayMinute = start.parse().unwrap();
        Occupied::new(start, minutes).quarters().map(|quarter| quarter.to_string()).collect()
    }

    #[test]
    fn a_job_occupies_every_quarter_that_it_touches() {
        assert_eq!(quarters("10:00", 15), ["10:00"]);
        assert_eq!(quarters("10:00", 16), ["10:00", "10:15"]);
        assert_eq!(quarters("10:10", 20), ["10:00", "10:15"]);
        assert_eq!(quarters("10:10", 21), ["10:00", "10:15", "10:30"]);
    }

    #[test]
    fn a_day_ends_at_midnight() {
        assert_eq!(quarters("23:45", 60), ["23:45"]);
        assert_eq!(quarters("00:00", 5000).len(), 96);
    }
}

//! A clock that can be advanced, so that tests need not wait for days.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The clock of a stand-in. Not saved: a restart resets it to the real time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    ahead: TimeDelta,
}

impl Clock {
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    /// The time after this duration.
    pub fn after(&self, duration: Duration) -> DateTime<Utc> {
        self.now() + delta(duration)
    }

    pub fn advance(&mut self, by: Duration) {
        self.ahead += delta(by);
    }
}

/// Limits a duration to a century, so that it does not overflow.
fn delta(duration: Duration) -> TimeDelta {
    let century = TimeDelta::days(36_525);
    TimeDelta::from_std(duration).unwrap_or(century).min(century)
}

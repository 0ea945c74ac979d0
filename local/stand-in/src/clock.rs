//! A clock that can be put forward, so that nobody waits for what takes days.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The clock of a stand-in. It is not kept: a restart puts it right again, for what comes from the future helps nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    ahead: TimeDelta,
}

impl Clock {
    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    /// When so much time has passed.
    pub fn after(&self, duration: Duration) -> DateTime<Utc> {
        self.now() + delta(duration)
    }

    /// Puts the clock forward.
    pub fn advance(&mut self, by: Duration) {
        self.ahead += delta(by);
    }
}

/// Whatever is longer than a century might as well be a century, and does not overflow.
fn delta(duration: Duration) -> TimeDelta {
    let century = TimeDelta::days(36_525);
    TimeDelta::from_std(duration).unwrap_or(century).min(century)
}

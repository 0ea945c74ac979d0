//! Reminders: writes those that are due; `send_messages` sends them.

use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{Result, messages};

use crate::App;

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reminded {
    pub written: u64,
}

impl App {
    /// Writes the reminders that are due at a moment, in batches.
    pub async fn remind(&self, now: DateTime<Utc>, end: Instant) -> Result<Reminded> {
        let plan = self.plan()?;
        if plan.channels.is_empty() {
            return Ok(Reminded::default());
        }
        Ok(Reminded { written: messages::remind(&self.database.pool(), &plan, now, end).await? })
    }
}

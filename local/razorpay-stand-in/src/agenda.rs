//! What happens by itself when its time has come.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Something to do later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// The refund with this id has reached the bank.
    FinishRefund(String),
    /// The payment with this id was not captured in time.
    GiveBack(String),
}

/// All that is to do, soonest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Agenda(Vec<(DateTime<Utc>, Task)>);

impl Agenda {
    /// Adds a task, after those of the same time.
    pub(crate) fn add(&mut self, at: DateTime<Utc>, task: Task) {
        let place = self.0.partition_point(|(other, _)| *other <= at);
        self.0.insert(place, (at, task));
    }

    /// When the first task is due.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.0.first().map(|(at, _)| *at)
    }

    /// The first task, if it is due.
    pub(crate) fn take(&mut self, now: DateTime<Utc>) -> Option<Task> {
        self.next().filter(|at| *at <= now)?;
        Some(self.0.remove(0).1)
    }
}

//! The agenda: tasks that run when the stand-in's clock reaches their time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A task for later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Ends the pending refund with this id: the bank has answered.
    FinishRefund(String),
    /// Refunds the authorized payment with this id: it was not captured in time.
    GiveBack(String),
}

/// All tasks, soonest first.
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

    /// Removes and returns the first task if it is due.
    pub(crate) fn take(&mut self, now: DateTime<Utc>) -> Option<Task> {
        self.next().filter(|at| *at <= now)?;
        Some(self.0.remove(0).1)
    }
}

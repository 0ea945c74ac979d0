//! The state of the stand-in.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use stand_in::Clock;

use crate::{
    agenda::Agenda,
    entities::Entities,
    idempotency::Keys,
    settings::Settings,
    webhooks::{Event, Post},
};

/// The state of the stand-in. Skipped fields are not in the state file: they start anew.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) orders: Entities,
    /// Orders with manual capture.
    pub(crate) manual_orders: BTreeSet<String>,
    pub(crate) payments: Entities,
    pub(crate) refunds: Entities,
    #[serde(default)]
    pub(crate) disputes: Entities,
    pub(crate) keys: Keys,
    pub(crate) agenda: Agenda,
    pub(crate) post: Post,
    /// The idempotency keys of calls that are not answered yet.
    #[serde(skip)]
    pub(crate) keys_in_progress: HashSet<String>,
    #[serde(skip)]
    pub(crate) settings: Settings,
    #[serde(skip)]
    pub(crate) clock: Clock,
}

impl State {
    /// The time in Unix seconds, as in the API.
    pub(crate) fn timestamp(&self) -> i64 {
        self.clock.now().timestamp()
    }

    /// Whether a task is due, which would change an entity.
    pub(crate) fn is_behind(&self) -> bool {
        self.agenda.next().is_some_and(|at| at <= self.clock.now())
    }

    /// Records the webhooks of one call and has them delivered.
    pub(crate) fn announce(&mut self, events: Vec<Event>) {
        let now = self.clock.now();
        self.post.add(events, now, &self.settings);
    }
}

//! All that the stand-in knows.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use stand_in::Clock;

use crate::{
    agenda::{Agenda, Task},
    entities::Entities,
    idempotency::Keys,
    returns::{self, RefundOutcome},
    settings::Settings,
    webhooks::{Event, Post},
};

/// All that the stand-in knows. What a file does not keep is new with each start.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) orders: Entities,
    /// Orders whose payments wait for a capture.
    pub(crate) manual_orders: BTreeSet<String>,
    pub(crate) payments: Entities,
    pub(crate) refunds: Entities,
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
    /// The time as the API tells it.
    pub(crate) fn timestamp(&self) -> i64 {
        self.clock.now().timestamp()
    }

    /// Puts the clock forward, and does what is due then.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.do_what_is_due();
    }

    /// Whether something is due that changes an entity.
    pub(crate) fn is_behind(&self) -> bool {
        self.agenda.next().is_some_and(|at| at <= self.clock.now())
    }

    /// Does what is due.
    pub(crate) fn do_what_is_due(&mut self) {
        while let Some(task) = self.agenda.take(self.clock.now()) {
            let events = match task {
                Task::FinishRefund(id) => returns::finish(self, &id, None),
                Task::GiveBack(id) => returns::give_back(self, &id),
            };
            self.announce(events);
        }
    }

    /// Records the webhooks of one call and has them delivered.
    pub(crate) fn announce(&mut self, events: Vec<Event>) {
        let now = self.clock.now();
        self.post.add(events, now, &self.settings);
    }

    /// What becomes of a refund that nobody decided about: one amount fails, as in Razorpay's test mode.
    pub(crate) fn usual_outcome(amount: i64) -> RefundOutcome {
        if amount == 2468 { RefundOutcome::Failed } else { RefundOutcome::Processed }
    }
}

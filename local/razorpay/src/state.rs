//! All that the stand-in knows, and the file that keeps it.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    agenda::{Agenda, Task},
    arrivals::Arrivals,
    entities::Entities,
    faults::Faults,
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
    pub(crate) faults: Faults,
    #[serde(skip)]
    pub(crate) arrivals: Arrivals,
    /// How far the clock was put forward. A restart puts it right again.
    #[serde(skip)]
    ahead: TimeDelta,
}

impl State {
    /// The time by the stand-in's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    /// The same as the API tells it.
    pub(crate) fn timestamp(&self) -> i64 {
        self.now().timestamp()
    }

    /// When so much time has passed.
    pub(crate) fn after(&self, duration: Duration) -> DateTime<Utc> {
        self.now() + delta(duration)
    }

    /// Puts the clock forward, and does what is due then.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead += delta(by);
        self.do_what_is_due();
    }

    /// Whether something is due that changes an entity.
    pub(crate) fn is_behind(&self) -> bool {
        self.agenda.next().is_some_and(|at| at <= self.now())
    }

    /// Does what is due.
    pub(crate) fn do_what_is_due(&mut self) {
        while let Some(task) = self.agenda.take(self.now()) {
            let events = match task {
                Task::FinishRefund(id) => returns::finish(self, &id, None),
                Task::GiveBack(id) => returns::give_back(self, &id),
            };
            self.announce(events);
        }
    }

    /// Records the webhooks of one call and has them delivered.
    pub(crate) fn announce(&mut self, events: Vec<Event>) {
        let now = self.now();
        self.post.add(events, now, &self.settings);
    }

    /// What becomes of a refund that nobody decided about: one amount fails, as in Razorpay's test mode.
    pub(crate) fn usual_outcome(amount: i64) -> RefundOutcome {
        if amount == 2468 { RefundOutcome::Failed } else { RefundOutcome::Processed }
    }

    /// Reads the file, if there is one.
    pub(crate) fn load(file: &Path) -> io::Result<Option<Self>> {
        match fs::read(file) {
            Ok(json) => serde_json::from_slice(&json).map(Some).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file as a whole or not at all. Only its owner may read it.
    pub(crate) fn save(&self, file: &Path) -> io::Result<()> {
        let mut name = file.as_os_str().to_owned();
        name.push(".new");
        let mut new = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&name)?;
        new.write_all(&serde_json::to_vec(self)?)?;
        drop(new);
        fs::rename(&name, file)
    }
}

/// Whatever is longer than a century might as well be a century, and does not overflow.
fn delta(duration: Duration) -> TimeDelta {
    let century = TimeDelta::days(36_525);
    TimeDelta::from_std(duration).unwrap_or(century).min(century)
}

//! The messages that were taken, newest last.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many are kept.
const CAPACITY: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    WhatsApp,
    Sms,
    Email,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// The carrier's id of it.
    pub id: String,
    pub channel: Channel,
    /// An address, or a number with `+`.
    pub to: String,
    /// What the sender calls it.
    pub tag: String,
    /// The whole body of the call, as it came.
    pub request: Value,
    pub taken_at: DateTime<Utc>,
    /// What was told of it last.
    #[serde(default)]
    pub status: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inbox {
    taken: Vec<Taken>,
    count: u64,
}

impl Inbox {
    /// Keeps a message; returns the number that makes its id.
    pub(crate) fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(crate) fn add(&mut self, message: Taken) {
        if self.taken.len() >= CAPACITY {
            self.taken.remove(0);
        }
        self.taken.push(message);
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> &[Taken] {
        &self.taken
    }

    /// Newest first, of one recipient if asked for.
    pub(crate) fn to(&self, to: Option<&str>) -> Vec<Taken> {
        let is_asked_for = |message: &&Taken| to.is_none_or(|to| message.to == to);
        self.taken.iter().rev().filter(is_asked_for).cloned().collect()
    }

    pub(crate) fn find(&mut self, id: &str) -> Option<&mut Taken> {
        self.taken.iter_mut().find(|message| message.id == id)
    }

    pub(crate) fn clear(&mut self) {
        self.taken.clear();
    }
}

//! The calls that arrived, for tests that count them.

use std::collections::{BTreeMap, VecDeque};

/// How many calls are told one by one. A load test makes more than anyone reads.
const CAPACITY: usize = 10_000;

/// Which calls arrived, spoiled ones too.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    counts: BTreeMap<String, usize>,
    last: VecDeque<String>,
}

impl Arrivals {
    /// Notes a call.
    pub(crate) fn add(&mut self, method: &str, path: &str) {
        *self.counts.entry(path.to_owned()).or_default() += 1;
        if self.last.len() >= CAPACITY {
            self.last.pop_front();
        }
        self.last.push_back(format!("{method} {path}"));
    }

    /// How many calls of this path arrived.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.counts.get(path).copied().unwrap_or_default()
    }

    /// The calls in order of arrival.
    pub(crate) fn all(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}

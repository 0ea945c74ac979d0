//! Log of received calls, for tests that count them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use crate::shared::lock;

/// Length of the list of calls; the counts have no limit. A load test makes more calls than a test reads.
const CAPACITY: usize = 10_000;

/// Received calls, including those with a fault.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    counts: BTreeMap<String, usize>,
    last: VecDeque<String>,
}

impl Arrivals {
    pub(crate) fn add(&self, method: &str, path: &str) {
        let mut calls = lock(&self.0);
        *calls.counts.entry(path.to_owned()).or_default() += 1;
        if calls.last.len() >= CAPACITY {
            calls.last.pop_front();
        }
        calls.last.push_back(format!("{method} {path}"));
    }

    /// Number of calls to this path.
    pub(crate) fn count(&self, path: &str) -> usize {
        lock(&self.0).counts.get(path).copied().unwrap_or_default()
    }

    /// The latest calls in order of arrival.
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.0).last.iter().cloned().collect()
    }
}

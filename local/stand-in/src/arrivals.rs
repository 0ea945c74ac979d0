//! The calls that arrived, for tests that count them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use crate::shared::lock;

/// How many calls are told one by one. A load test makes more than anyone reads.
const CAPACITY: usize = 10_000;

/// Which calls arrived, spoiled ones too.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    counts: BTreeMap<String, usize>,
    last: VecDeque<String>,
}

impl Arrivals {
    /// Notes a call.
    pub(crate) fn add(&self, method: &str, path: &str) {
        let mut calls = lock(&self.0);
        *calls.counts.entry(path.to_owned()).or_default() += 1;
        if calls.last.len() >= CAPACITY {
            calls.last.pop_front();
        }
        calls.last.push_back(format!("{method} {path}"));
    }

    /// How many calls of this path arrived.
    pub(crate) fn count(&self, path: &str) -> usize {
        lock(&self.0).counts.get(path).copied().unwrap_or_default()
    }

    /// The calls in order of arrival.
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.0).last.iter().cloned().collect()
    }
}

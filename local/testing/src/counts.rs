//! The metrics that a test makes the code count.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, LocalRecorderGuard, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use shared::metrics::{Count, Level};

/// Collects what this thread counts, until it is dropped.
pub struct Counts {
    seen: &'static Seen,
    _guard: LocalRecorderGuard<'static>,
}

#[derive(Default)]
struct Seen {
    counts: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    levels: Mutex<BTreeMap<String, Arc<Latest>>>,
}

/// The latest value of a gauge.
#[derive(Default)]
struct Latest(Mutex<Option<f64>>);

impl Counts {
    /// Begins to collect.
    #[must_use]
    pub fn start() -> Self {
        let seen: &Seen = Box::leak(Box::default());
        Self { seen, _guard: set_default_local_recorder(seen) }
    }

    /// How often something was counted.
    pub fn of(&self, what: Count) -> u64 {
        self.seen.counts.lock().unwrap().get(what.name()).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The value of a gauge that was recorded last.
    pub fn level(&self, what: Level) -> Option<f64> {
        self.seen.levels.lock().unwrap().get(what.name()).and_then(|level| *level.0.lock().unwrap())
    }
}

impl HistogramFn for Latest {
    fn record(&self, value: f64) {
        *self.0.lock().unwrap() = Some(value);
    }
}

impl Recorder for Seen {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.counts.lock().unwrap().entry(key.name().to_owned()).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(self.levels.lock().unwrap().entry(key.name().to_owned()).or_default()))
    }
}

//! The metrics that a test makes the code count.

use shared::metrics::{self, Count, Level};

/// Tells what this thread has counted since the start.
pub struct Counts {
    before: Vec<u64>,
    levels_before: Vec<usize>,
}

impl Counts {
    /// Begins to count from zero.
    #[must_use]
    pub fn start() -> Self {
        Self {
            before: Count::ALL.iter().map(|what| metrics::counted(*what)).collect(),
            levels_before: Level::ALL.iter().map(|what| metrics::levels(*what).len()).collect(),
        }
    }

    /// How often something was counted.
    pub fn of(&self, what: Count) -> u64 {
        metrics::counted(what) - self.before[what as usize]
    }

    /// The value of a gauge that was recorded last.
    pub fn level(&self, what: Level) -> Option<f64> {
        let recorded = metrics::levels(what);
        let last = recorded.get(self.levels_before[what as usize]..)?.last()?;
        Some(f64::from(i32::try_from(*last).unwrap()))
    }
}

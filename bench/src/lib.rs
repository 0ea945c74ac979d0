//! Benchmarks of the functions as Lambda runs them; `docs/speed.md` explains the results.
//!
//! Every number that counts is a ratio of two things measured in turns within one run, because the speed of a
//! machine differs from run to run.
#![expect(clippy::float_arithmetic, reason = "what is measured here are times and ratios, never money")]

pub mod away;
pub mod binaries;
pub mod calls;
mod case;
pub mod compare;
mod cores;
mod django;
pub mod history;
pub mod instance;
pub mod many_requests;
pub mod memory;
pub mod one_core;
pub mod one_request;
mod pgbench;
mod plot;
mod prepared;
mod programs;
pub mod proxy;
pub mod reads;
pub mod report;
pub mod request;
mod runtime_api;
mod series;
mod shop;
pub mod simulate;
pub mod statements;
mod table;
mod targets;
mod wire;

pub use shop::Shop;

/// Any error ends the run and is printed.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// See [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The numbers of bookings in the databases, smallest first.
    pub sizes: [u32; 3],
    /// Starts of each function.
    pub cold_rounds: usize,
    /// Rounds of warm requests.
    pub rounds: usize,
    /// Requests of a case in a round.
    pub requests: usize,
    /// The maximum number of concurrent instances.
    pub instances: usize,
    /// Rounds per number of instances.
    pub load_rounds: usize,
    /// Cached reads in a round with several instances; half as many slots, a quarter as many bookings.
    pub load: usize,
    /// Cached reads from Django in a round on one core; fewer bookings, and more of both from the functions.
    pub on_one_core: usize,
}

impl Effort {
    /// Enough for reliable ratios.
    pub const WHOLE: Self = Self {
        sizes: [1_000, 10_000, 100_000],
        cold_rounds: 30,
        rounds: 30,
        requests: 30,
        instances: 64,
        load_rounds: 5,
        load: 2_000,
        on_one_core: 400,
    };

    /// Enough to show that the bench works, and nothing else.
    pub const QUICK: Self = Self {
        sizes: [100, 200, 400],
        cold_rounds: 2,
        rounds: 2,
        requests: 4,
        instances: 4,
        load_rounds: 1,
        load: 40,
        on_one_core: 12,
    };
}

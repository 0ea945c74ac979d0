//! Property tests: booking, payments, refunds and Razorpay agree in the end, after any sequential or concurrent steps.
//!
//! A failure prints the shortest failing sequence of steps that was found, and the seed that repeats the run.
//! `PROPTEST_CASES` sets the number of cases, of which one in `PART` is run.

mod books;
mod case;
mod steps;

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use shared::database::MIGRATOR;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use self::{
    case::Case,
    steps::{Step, step},
};
use crate::World;

/// Cases are long: one in this many of proptest's usual number takes a few seconds.
const PART: u32 = 8;

fn config() -> Config {
    let config = Config { failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let rng_seed = match config.rng_seed {
        RngSeed::Random => RngSeed::Fixed(random_seed()),
        seed @ RngSeed::Fixed(_) => seed,
    };
    Config { cases: config.cases.div_ceil(PART), rng_seed, ..config }
}

fn random_seed() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes)
}

/// Runs cases on a thread and a runtime of their own, since the runner is not asynchronous. Cases share the database;
/// each has its own booking and its own Razorpay.
async fn for_all<S: Strategy<Value = Vec<Vec<Step>>>>(
    options: PgConnectOptions,
    steps: impl FnOnce() -> S + Send + 'static,
) {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pool = runtime.block_on(async {
            let pool = PgPoolOptions::new().max_connections(8).connect_with(options).await.unwrap();
            testing::import_catalogue(&pool, &testing::redis()).await;
            pool
        });
        let config = config();
        let RngSeed::Fixed(seed) = config.rng_seed else { unreachable!() };
        let outcome = TestRunner::new(config).run(&steps(), |rounds| runtime.block_on(check(&pool, &rounds)));
        if let Err(failure) = outcome {
            panic!("PROPTEST_RNG_SEED={seed}\n{failure}");
        }
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

async fn check(pool: &PgPool, rounds: &[Vec<Step>]) -> Result<(), TestCaseError> {
    let case = Case::new(World::without_booking(pool.clone()).await).await;
    for round in rounds {
        case.run(round).await?;
    }
    case.come_to_rest().await?;
    case.compare().await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sequential_steps_leave_booking_and_razorpay_in_agreement(_: PgPoolOptions, options: PgConnectOptions) {
    let steps = || prop::collection::vec(step().prop_map(|step| vec![step]), 1..24);
    for_all(options, steps).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_steps_leave_booking_and_razorpay_in_agreement(_: PgPoolOptions, options: PgConnectOptions) {
    let steps = || prop::collection::vec(prop::collection::vec(step(), 1..6), 1..8);
    for_all(options, steps).await;
}

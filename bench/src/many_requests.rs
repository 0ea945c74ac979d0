//! Load and growth: contention for one slot, growing databases, growing numbers of instances.

use std::{
    cell::{Cell, RefCell},
    time::Instant,
};

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::{
    Effort, Result,
    case::Case,
    instance::Instance,
    request::Request,
    series::{Ratio, Series, number, quantile},
    shop::Shop,
};

/// Concurrent attempts at the same slot.
const ATTEMPTS: usize = 500;
/// The slot's capacity.
const CAPACITY: i64 = 40;
/// Connections left to other users of the server.
const LEFT_TO_OTHERS: i64 = 12;

/// The results of many attempts at one slot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rush {
    /// Requests waiting at once.
    pub attempts: usize,
    /// Function processes that answered them.
    pub instances: usize,
    /// The slot's capacity.
    pub capacity: i64,
    /// Answers with 201.
    pub accepted: usize,
    /// Answers with 409 and free slots nearby.
    pub refused: usize,
    /// Answers with any other status.
    pub other: usize,
    /// Bookings in the database.
    pub booked: i64,
}

/// Sends all attempts at once to as many bookings functions as Postgres has connections for.
pub async fn rush(shop: &mut Shop, effort: Effort) -> Result<Rush> {
    let size = shop.biggest();
    let mut connection = shop.connect(size).await?;
    let set = "update shops set home_capacity = $1";
    sqlx::query(set).bind(i32::try_from(CAPACITY)?).execute(&mut connection).await?;
    let phone = shop.new_phone();
    let first = shop.home_visit(&phone);
    // The sample bookings may use the slots.
    sqlx::query("delete from slot_usage where pool = 'home'").execute(&mut connection).await?;
    let before: i64 = sqlx::query_scalar("select count(*) from bookings").fetch_one(&mut connection).await?;
    let mut instances = start_many(shop, "bookings", effort.instances).await?;
    // All attempts are for the same hour; only the phone number differs.
    let requests = (0..ATTEMPTS).map(|attempt| first.replacing(&phone, &format!("+9181{attempt:08}")));
    let requests: RefCell<Vec<Request>> = RefCell::new(requests.collect());
    let statuses = RefCell::new(Vec::new());
    try_join_all(instances.iter_mut().map(async |instance| -> Result<()> {
        while let Some(request) = { requests.borrow_mut().pop() } {
            let answer = instance.invoke(request.event()).await?;
            statuses.borrow_mut().push(Request::outcome(&answer).0);
        }
        Ok(())
    }))
    .await?;
    let after: i64 = sqlx::query_scalar("select count(*) from bookings").fetch_one(&mut connection).await?;
    sqlx::query(set).bind(1_000_000).execute(&mut connection).await?;
    let statuses = statuses.into_inner();
    let with = |status: u64| statuses.iter().filter(|answered| **answered == status).count();
    Ok(Rush {
        attempts: ATTEMPTS,
        instances: instances.len(),
        capacity: CAPACITY,
        accepted: with(201),
        refused: with(409),
        other: ATTEMPTS - with(201) - with(409),
        booked: after - before,
    })
}

/// The cost of a request with a number of bookings in the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AtSize {
    pub case: String,
    pub bookings: u32,
    /// Median of the warm requests, in milliseconds on the machine of the run.
    pub p50: f64,
    /// Against the smallest size.
    pub ratio: Ratio,
}

/// Measures the databases of all sizes in turns.
pub async fn sizes(shop: &mut Shop, effort: Effort) -> Result<Vec<AtSize>> {
    let mut measured = Vec::new();
    for case in [Case::StaffList, Case::PanelList, Case::Slots, Case::Booking] {
        let mut of_sizes = Vec::new();
        for size in shop.sizes.clone() {
            let mut instance = shop.start(case.binary(), &shop.environment(size)).await?;
            for _ in 0..effort.requests {
                let request = case.request(shop).await?;
                request.send_to(&mut instance).await?;
            }
            of_sizes.push((size, instance, Series::default()));
        }
        let count = of_sizes.len();
        for round in 0..effort.rounds {
            for place in 0..count {
                let Some((_, instance, series)) = of_sizes.get_mut((place + round) % count) else { continue };
                let mut times = Vec::with_capacity(effort.requests);
                for _ in 0..effort.requests {
                    let request = case.request(shop).await?;
                    let answer = request.send_to(instance).await?;
                    times.push(answer.time.as_secs_f64());
                }
                series.push(times);
            }
        }
        let Some((_, _, smallest)) = of_sizes.first() else { continue };
        measured.extend(of_sizes.iter().map(|(size, _, series)| AtSize {
            case: case.name().to_owned(),
            bookings: *size,
            p50: series.quantile(0.5) * 1e3,
            ratio: series.against(smallest),
        }));
    }
    Ok(measured)
}

/// Throughput and latency with a number of concurrent instances.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WithInstances {
    pub case: String,
    pub instances: usize,
    /// Requests per second.
    pub throughput: f64,
    /// Requests per second, against one instance.
    pub ratio: Ratio,
    /// CPU time per request, in milliseconds.
    pub cpu: f64,
    /// 99th percentile, in milliseconds.
    pub p99: f64,
    /// Answers with an unexpected status.
    pub failures: usize,
}

/// Runs growing numbers of concurrent instances; each gets its next request as soon as it has answered the last.
pub async fn instances(shop: &mut Shop, effort: Effort) -> Result<Vec<WithInstances>> {
    let mut measured = Vec::new();
    for (case, requests) in
        [(Case::CachedRead, effort.load), (Case::Slots, effort.load / 2), (Case::Booking, effort.load / 4)]
    {
        let mut all = start_many(shop, case.binary(), effort.instances).await?;
        for instance in &mut all {
            let request = case.request(shop).await?;
            request.send_to(instance).await?;
        }
        let counts: Vec<usize> =
            std::iter::successors(Some(1), |count| Some(2 * count)).take_while(|count| *count <= all.len()).collect();
        let mut loads: Vec<Load> = counts.iter().map(|_| Load::default()).collect();
        for round in 0..effort.load_rounds {
            for place in 0..counts.len() {
                let place = (place + round) % counts.len();
                let (Some(count), Some(load)) = (counts.get(place), loads.get_mut(place)) else { continue };
                let Some(working) = all.get_mut(..*count) else { continue };
                let mut waiting = Vec::with_capacity(requests);
                for _ in 0..requests {
                    waiting.push(case.request(shop).await?);
                }
                load.round(working, waiting).await?;
            }
        }
        let Some(one) = loads.first().map(|load| load.throughputs.clone()) else { continue };
        measured.extend(counts.iter().zip(loads).map(|(count, mut load)| WithInstances {
            case: case.name().to_owned(),
            instances: *count,
            ratio: Ratio::of(load.throughputs.iter().zip(&one).map(|(many, one)| many / one).collect()),
            throughput: quantile(&mut load.throughputs, 0.5),
            cpu: quantile(&mut load.cpu, 0.5) * 1e3,
            p99: quantile(&mut load.times, 0.99) * 1e3,
            failures: load.failures,
        }));
    }
    Ok(measured)
}

#[derive(Default)]
struct Load {
    throughputs: Vec<f64>,
    cpu: Vec<f64>,
    times: Vec<f64>,
    failures: usize,
}

impl Load {
    async fn round(&mut self, instances: &mut [Instance], requests: Vec<Request>) -> Result<()> {
        let count = number(requests.len() as u64);
        let before = cpu_time(instances)?;
        let (waiting, failures, times) = (RefCell::new(requests), Cell::new(0), RefCell::new(Vec::new()));
        let started = Instant::now();
        try_join_all(instances.iter_mut().map(async |instance| -> Result<()> {
            while let Some(request) = { waiting.borrow_mut().pop() } {
                let answer = instance.invoke(request.event()).await?;
                if request.check(&answer).is_err() {
                    failures.set(failures.get() + 1);
                }
                times.borrow_mut().push(answer.time.as_secs_f64());
            }
            Ok(())
        }))
        .await?;
        self.throughputs.push(count / started.elapsed().as_secs_f64());
        self.cpu.push((cpu_time(instances)? - before) / count);
        self.times.append(&mut times.borrow_mut());
        self.failures += failures.get();
        Ok(())
    }
}

/// CPU time of all of them, in seconds.
pub(crate) fn cpu_time(instances: &[Instance]) -> Result<f64> {
    let mut seconds = 0.0;
    for instance in instances {
        seconds += instance.cpu_time()?.as_secs_f64();
    }
    Ok(seconds)
}

/// Starts the wanted number, or as many as Postgres has free connections for, rounded down to a power of two.
async fn start_many(shop: &Shop, binary: &str, wanted: usize) -> Result<Vec<Instance>> {
    let mut connection = shop.connect(shop.biggest()).await?;
    let free: i64 = sqlx::query_scalar(
        "select current_setting('max_connections')::bigint - (select count(*) from pg_stat_activity)",
    )
    .fetch_one(&mut connection)
    .await?;
    let room = usize::try_from((free - LEFT_TO_OTHERS).max(1))?;
    let possible = if room >= wanted { wanted } else { 1 << room.ilog2() };
    let environment = shop.environment(shop.biggest());
    let mut instances = Vec::with_capacity(possible);
    for _ in 0..possible {
        instances.push(shop.start(binary, &environment).await?);
    }
    Ok(instances)
}

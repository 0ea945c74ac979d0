//! One request at a time: cold and warm times, memory, round trips.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    Effort, Result,
    case::{Case, WARM_UP, give_cached_read_to_bare},
    instance::{Instance, Memory},
    pgbench::Script,
    series::{Ratio, Series, number, quantile},
    shop::Shop,
    wire::{captured, round_trips},
};

/// The cost of one request. Times are milliseconds on the machine of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cost {
    pub case: String,
    /// From the start of the process to its request for the first event.
    pub init: f64,
    /// From sending the first event to receiving the answer.
    pub first: f64,
    /// `init` and `first` together, against the bare function's.
    pub cold_ratio: Ratio,
    /// Median of the warm requests.
    pub warm_p50: f64,
    /// 99th percentile of the warm requests.
    pub warm_p99: f64,
    /// Warm, against the bare function's.
    pub warm_ratio: Ratio,
    /// CPU time per warm request.
    pub cpu: f64,
    /// Peak memory of the process, in MiB.
    pub memory: f64,
    /// The same against the bare function's.
    pub memory_ratio: f64,
    /// Round trips per request to Postgres.
    pub to_postgres: f64,
    /// … to Redis.
    pub to_redis: f64,
    /// … to Descope.
    pub to_descope: f64,
    /// Half the interquartile range of the rounds' medians, as a fraction of their median.
    pub noise: f64,
    /// Against the same function of another build, if one was measured beside it.
    pub beside: Option<Beside>,
}

/// A function against the same one of another build, measured in turns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Beside {
    /// From the start of the process to the first answer.
    pub cold: Ratio,
    /// Warm.
    pub warm: Ratio,
    /// CPU time per warm request, which other load on the machine disturbs less.
    pub cpu: Ratio,
    /// Peak memory.
    pub memory: f64,
}

/// The measurements for those targets that are no cost of one case.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// A cached read, warm, against the bare function with one Redis `GET`.
    pub read: Ratio,
    /// A booking, warm, against its SQL in pgbench, if there is one.
    pub booking: Option<Ratio>,
    /// The panel's list of bookings, warm, against the staff list of the API.
    pub panel: Ratio,
    /// The panel's board of a day with 200 jobs, warm, against the same.
    pub board: Ratio,
    /// Time of the SQL in pgbench, in milliseconds.
    pub sql: Option<f64>,
}

/// Measures every case.
pub async fn measure(shop: &mut Shop, effort: Effort) -> Result<(Vec<Cost>, Compared)> {
    let (mut warm, mut others) = (Vec::new(), Vec::new());
    for case in Case::TIMED {
        if case == Case::BareRedis {
            give_cached_read_to_bare(shop).await?;
        }
        warm.push(Warm::start(shop, &shop.binaries, case).await?);
        if let Some(beside) = &shop.beside {
            others.push(Warm::start(shop, beside, case).await?);
        }
    }
    let booking = captured(shop).await?;
    let url = shop.database_url(shop.biggest());
    let script = Script::write(&booking, url.as_str(), &shop.directory)?;

    let trips = round_trips(shop).await?;
    let (cold, cold_others) = cold(shop, effort).await?;
    let sql = in_turns(shop, (&mut warm, &mut others), script.as_ref(), effort).await?;

    let of = |case: Case| warm.iter().find(|warm| warm.case == case).ok_or("a case is missing");
    let bare = of(Case::Bare)?;
    let bare_memory = bare.instance.peak_memory()?;
    let mut costs = Vec::new();
    for (place, (warm, (start, trips))) in warm.iter().zip(cold.iter().zip(&trips)).enumerate() {
        let memory = warm.instance.peak_memory()?;
        costs.push(Cost {
            case: warm.case.name().to_owned(),
            init: start.init.quantile(0.5) * 1e3,
            first: start.first.quantile(0.5) * 1e3,
            cold_ratio: start.total.against(&cold.first().ok_or("nothing was measured")?.total),
            warm_p50: warm.times.quantile(0.5) * 1e3,
            warm_p99: warm.times.quantile(0.99) * 1e3,
            warm_ratio: warm.times.against(&bare.times),
            cpu: quantile(&mut warm.cpu.clone(), 0.5) * 1e3,
            memory: number(memory) / f64::from(1 << 20),
            memory_ratio: number(memory) / number(bare_memory),
            to_postgres: trips[0],
            to_redis: trips[1],
            to_descope: trips[2],
            noise: warm.times.noise(),
            beside: match (others.get(place), cold_others.get(place)) {
                (Some(other), Some(start_of_other)) => Some(Beside {
                    cold: start.total.against(&start_of_other.total),
                    warm: warm.times.against(&other.times),
                    cpu: warm.cpu_against(other),
                    memory: number(memory) / number(other.instance.peak_memory()?),
                }),
                _ => None,
            },
        });
    }
    let booking = of(Case::Booking)?;
    let compared = Compared {
        read: of(Case::CachedRead)?.times.against(&of(Case::BareRedis)?.times),
        booking: sql.as_ref().map(|sql| booking.times.against(sql)),
        panel: of(Case::PanelList)?.times.against(&of(Case::StaffList)?.times),
        board: of(Case::PanelBoard)?.times.against(&of(Case::StaffList)?.times),
        sql: sql.as_ref().map(|sql| sql.quantile(0.5) * 1e3),
    };
    Ok((costs, compared))
}

/// A warm function with what was measured of it.
pub(crate) struct Warm {
    case: Case,
    instance: Instance,
    pub(crate) times: Series,
    /// Seconds per request, by round.
    cpu: Vec<f64>,
}

/// Starts each function once per round, in turns with that of the other build.
async fn cold(shop: &mut Shop, effort: Effort) -> Result<(Vec<Cold>, Vec<Cold>)> {
    let mut cases: Vec<Cold> = Case::TIMED.iter().map(|_| Cold::default()).collect();
    let mut others: Vec<Cold> = shop.beside.iter().flat_map(|_| Case::TIMED).map(|_| Cold::default()).collect();
    for round in 0..effort.cold_rounds {
        for place in turns(cases.len(), round) {
            let (Some(case), Some(times)) = (Case::TIMED.get(place), cases.get_mut(place)) else { continue };
            let own = Some((shop.binaries.clone(), times));
            let mut both: Vec<_> = own.into_iter().chain(shop.beside.clone().zip(others.get_mut(place))).collect();
            if round % 2 == 1 {
                both.reverse();
            }
            for (binaries, times) in both {
                times.add(shop, &binaries, *case).await?;
            }
        }
    }
    Ok((cases, others))
}

/// The order of turns in a round: each round begins with another place and every second one runs backwards, so that no
/// case always follows the same one.
pub(crate) fn turns(count: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |place| {
        let place = (place + round) % count;
        if round.is_multiple_of(2) { place } else { count - 1 - place }
    })
}

#[derive(Default)]
struct Cold {
    init: Series,
    first: Series,
    total: Series,
}

impl Cold {
    async fn add(&mut self, shop: &mut Shop, binaries: &Path, case: Case) -> Result<()> {
        let request = case.request(shop).await?;
        let environment = shop.environment(shop.biggest());
        let mut instance = shop.start_from(binaries, case.binary(), &environment).await?;
        let answer = request.send_to(&mut instance).await?;
        self.init.push(vec![instance.init.as_secs_f64()]);
        self.first.push(vec![answer.time.as_secs_f64()]);
        self.total.push(vec![(instance.init + answer.time).as_secs_f64()]);
        instance.end().await
    }
}

/// Measures the warm functions and pgbench in turns; returns the times of the SQL.
async fn in_turns(
    shop: &mut Shop,
    (cases, others): (&mut [Warm], &mut [Warm]),
    script: Option<&Script>,
    effort: Effort,
) -> Result<Option<Series>> {
    let mut sql = script.map(|_| Series::default());
    for case in cases.iter_mut().chain(others.iter_mut()) {
        case.run(shop, WARM_UP).await?;
    }
    let count = cases.len();
    for round in 0..effort.rounds {
        for place in turns(count, round) {
            let Some(case) = cases.get_mut(place) else { continue };
            let mut both: Vec<&mut Warm> = others.get_mut(place).into_iter().chain([&mut *case]).collect();
            if round % 2 == 0 {
                both.reverse();
            }
            for each in both {
                each.round(shop, effort).await?;
            }
            if case.case == Case::Booking
                && let (Some(script), Some(sql)) = (script, &mut sql)
            {
                sql.push(script.run(effort.requests).await?);
            }
        }
    }
    Ok(sql)
}

impl Warm {
    pub(crate) async fn start(shop: &Shop, binaries: &Path, case: Case) -> Result<Self> {
        let environment = shop.environment(shop.biggest());
        Ok(Self::of(case, shop.start_from(binaries, case.binary(), &environment).await?))
    }

    pub(crate) fn of(case: Case, instance: Instance) -> Self {
        Self { case, instance, times: Series::default(), cpu: Vec::new() }
    }

    /// The ratio of the times on a core.
    pub(crate) fn cpu_against(&self, other: &Self) -> Ratio {
        Ratio::of(self.cpu.iter().zip(&other.cpu).map(|(own, other)| own / other).collect())
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        self.instance.memory()
    }

    pub(crate) async fn round(&mut self, shop: &mut Shop, effort: Effort) -> Result<()> {
        let requests = effort.requests * self.case.weight();
        let before = self.instance.cpu_time()?;
        let times = self.run(shop, requests).await?;
        let time_on_a_core = self.instance.cpu_time()?.saturating_sub(before);
        self.cpu.push(time_on_a_core.as_secs_f64() / number(requests as u64));
        self.times.push(times);
        Ok(())
    }

    pub(crate) async fn run(&mut self, shop: &mut Shop, requests: usize) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(requests);
        for _ in 0..requests {
            let request = self.case.request(shop).await?;
            let answer = request.send_to(&mut self.instance).await?;
            times.push(answer.time.as_secs_f64());
        }
        Ok(times)
    }
}

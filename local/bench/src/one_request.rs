//! One request at a time: cold and warm, the memory it takes, the round trips it makes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{
    Effort, Result,
    case::Case,
    instance::Instance,
    pgbench::Script,
    proxy::Proxy,
    request::Request,
    series::{Ratio, Series, number, quantile},
    shop::Shop,
    statements::{self, Statement},
};

/// Before anything is counted: connections, plans, caches.
const WARM_UP: usize = 20;

/// What one request costs. Times are milliseconds on the machine of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// The case.
    pub case: String,
    /// From the process's start to its asking for the first event.
    pub init: f64,
    /// From the first event handed over to the answer.
    pub first: f64,
    /// Both, against the bare function's.
    pub cold_ratio: Ratio,
    /// Half of the warm requests took less.
    pub warm_p50: f64,
    /// One of a hundred took more.
    pub warm_p99: f64,
    /// Warm, against the bare function's.
    pub warm_ratio: Ratio,
    /// Time on a core per warm request.
    pub cpu: f64,
    /// The most memory the process had, in MiB.
    pub memory: f64,
    /// The same against the bare function's.
    pub memory_ratio: f64,
    /// Round trips per request to Postgres.
    pub to_postgres: f64,
    /// … to Redis.
    pub to_redis: f64,
    /// … to Descope.
    pub to_descope: f64,
    /// How far the rounds' medians lie apart, as a part of them.
    pub noise: f64,
}

/// Of what the targets are made that are no cost of one case.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// A cached read, warm, against the bare function with one Redis `GET`.
    pub read: Ratio,
    /// A booking, warm, against its SQL in pgbench, if there is one.
    pub booking: Option<Ratio>,
    /// What the SQL took in pgbench, in milliseconds.
    pub sql: Option<f64>,
}

/// Measures every case.
pub async fn measure(shop: &mut Shop, effort: Effort) -> Result<(Vec<Cost>, Compared)> {
    let environment = shop.environment(shop.biggest());
    let mut auth = shop.start("auth", &environment).await?;
    let mut warm = Vec::new();
    for case in Case::ALL {
        if case == Case::BareRedis {
            let body = body_of_cached_read(shop, &mut auth).await?;
            shop.give_to_bare_function(&body).await?;
        }
        warm.push(Warm {
            case,
            instance: shop.start(case.binary(), &environment).await?,
            times: Series::default(),
            cpu: Vec::new(),
        });
    }
    let statements = captured(shop).await?;
    let url = shop.database_url(shop.biggest());
    let values = (statements.1.0.as_str(), statements.1.1.as_str());
    let script = Script::write(&statements.0, values, url.as_str(), &shop.directory)?;

    let trips = round_trips(shop, &mut auth).await?;
    let cold = cold(shop, &mut auth, effort).await?;
    let sql = in_turns(shop, &mut auth, &mut warm, script.as_ref(), effort).await?;

    let of = |case: Case| warm.iter().find(|warm| warm.case == case).ok_or("a case is missing");
    let bare = of(Case::Bare)?;
    let bare_memory = bare.instance.peak_memory()?;
    let mut costs = Vec::new();
    for (warm, (start, trips)) in warm.iter().zip(cold.iter().zip(&trips)) {
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
        });
    }
    let booking = of(Case::Booking)?;
    let compared = Compared {
        read: of(Case::CachedRead)?.times.against(&of(Case::BareRedis)?.times),
        booking: sql.as_ref().map(|sql| booking.times.against(sql)),
        sql: sql.as_ref().map(|sql| sql.quantile(0.5) * 1e3),
    };
    Ok((costs, compared))
}

struct Warm {
    case: Case,
    instance: Instance,
    times: Series,
    /// Seconds per request, by round.
    cpu: Vec<f64>,
}

async fn body_of_cached_read(shop: &mut Shop, auth: &mut Instance) -> Result<String> {
    let environment = shop.environment(shop.biggest());
    let mut instance = shop.start(Case::CachedRead.binary(), &environment).await?;
    let request = Case::CachedRead.request(shop, auth).await?;
    let answer = instance.invoke(request.event()).await?;
    request.check(&answer)?;
    Ok(Request::outcome(&answer).1.to_owned())
}

/// Starts each function anew in each round.
async fn cold(shop: &mut Shop, auth: &mut Instance, effort: Effort) -> Result<Vec<Cold>> {
    let environment = shop.environment(shop.biggest());
    let mut cases: Vec<Cold> = Case::ALL.iter().map(|_| Cold::default()).collect();
    for round in 0..effort.cold_rounds {
        for place in 0..cases.len() {
            let place = (place + round) % cases.len();
            let (Some(case), Some(times)) = (Case::ALL.get(place), cases.get_mut(place)) else { continue };
            let request = case.request(shop, auth).await?;
            let mut instance = shop.start(case.binary(), &environment).await?;
            let answer = instance.invoke(request.event()).await?;
            request.check(&answer)?;
            times.init.push(vec![instance.init.as_secs_f64()]);
            times.first.push(vec![answer.time.as_secs_f64()]);
            times.total.push(vec![(instance.init + answer.time).as_secs_f64()]);
        }
    }
    Ok(cases)
}

#[derive(Default)]
struct Cold {
    init: Series,
    first: Series,
    total: Series,
}

/// Lets the warm functions, and pgbench, take turns; answers what the SQL took.
async fn in_turns(
    shop: &mut Shop,
    auth: &mut Instance,
    cases: &mut [Warm],
    script: Option<&Script>,
    effort: Effort,
) -> Result<Option<Series>> {
    let mut sql = script.map(|_| Series::default());
    for case in cases.iter_mut() {
        case.run(shop, auth, WARM_UP).await?;
    }
    let count = cases.len();
    for round in 0..effort.rounds {
        for place in 0..count {
            let Some(case) = cases.get_mut((place + round) % count) else { continue };
            let before = case.instance.cpu_time()?;
            let times = case.run(shop, auth, effort.requests).await?;
            case.cpu
                .push(case.instance.cpu_time()?.saturating_sub(before).as_secs_f64() / number(effort.requests as u64));
            case.times.push(times);
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
    async fn run(&mut self, shop: &mut Shop, auth: &mut Instance, requests: usize) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(requests);
        for _ in 0..requests {
            let request = self.case.request(shop, auth).await?;
            let answer = self.instance.invoke(request.event()).await?;
            request.check(&answer)?;
            times.push(answer.time.as_secs_f64());
        }
        Ok(times)
    }
}

/// Counts the round trips of each case to Postgres, Redis and Descope, on connections that are open already.
async fn round_trips(shop: &mut Shop, auth: &mut Instance) -> Result<Vec<[f64; 3]>> {
    let descope = Url::parse(&shop.descope.url())?;
    let servers = [shop.database_url(shop.biggest()), shop.redis_url().clone(), descope];
    let mut proxies = Vec::new();
    let mut environment: HashMap<String, String> = shop.environment(shop.biggest()).into_iter().collect();
    for (variable, mut url) in ["DATABASE_URL", "REDIS_URL", "DESCOPE_BASE_URL"].into_iter().zip(servers) {
        let proxy = before(&mut url).await?;
        environment.insert(variable.to_owned(), url.as_str().trim_end_matches('/').to_owned());
        proxies.push(proxy);
    }
    let environment: Vec<_> = environment.into_iter().collect();
    let mut trips = Vec::new();
    for case in Case::ALL {
        let mut instance = shop.start(case.binary(), &environment).await?;
        let mut counted = [0; 3];
        for round in 0..2 * WARM_UP {
            let request = case.request(shop, auth).await?;
            let before: Vec<usize> = proxies.iter().map(Proxy::turns).collect();
            request.check(&instance.invoke(request.event()).await?)?;
            for ((counted, proxy), before) in counted.iter_mut().zip(&proxies).zip(before) {
                *counted += if round < WARM_UP { 0 } else { proxy.turns() - before };
            }
        }
        if case == Case::UncachedRead && counted[0] == 0 {
            return Err("the uncached read did not ask Postgres: the cache's keys are named in another way".into());
        }
        trips.push(counted.map(|counted| number(counted as u64) / number(WARM_UP as u64)));
    }
    Ok(trips)
}

/// What a booking says to Postgres, and the phone number and reference that stand in it.
async fn captured(shop: &mut Shop) -> Result<(Vec<Statement>, (String, String))> {
    let mut url = shop.database_url(shop.biggest());
    let proxy = before(&mut url).await?;
    // What is encrypted cannot be read.
    url.set_query(Some("sslmode=disable"));
    let mut environment = shop.environment(shop.biggest());
    environment.push(("DATABASE_URL".to_owned(), url.into()));
    let mut instance = shop.start("bookings", &environment).await?;
    let mut spoken = (0, String::new(), String::new());
    for _ in 0..2 {
        let phone = shop.new_phone();
        let request = shop.booking(&phone);
        let before = statements_of(&proxy)?.len();
        let answer = instance.invoke(request.event()).await?;
        request.check(&answer)?;
        let body: Value = serde_json::from_str(Request::outcome(&answer).1)?;
        spoken =
            (before, phone, body.pointer("/data/reference").and_then(Value::as_str).unwrap_or_default().to_owned());
    }
    let statements = statements_of(&proxy)?.split_off(spoken.0);
    Ok((statements, (spoken.1, spoken.2)))
}

fn statements_of(proxy: &Proxy) -> Result<Vec<Statement>> {
    proxy.sent().first().map_or(Ok(Vec::new()), |sent| statements::read(sent))
}

/// Puts a proxy before the server of a URL.
async fn before(url: &mut Url) -> Result<Proxy> {
    let default = if url.scheme().starts_with("postgres") { 5432 } else { 6379 };
    let upstream =
        format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port_or_known_default().unwrap_or(default));
    let proxy = Proxy::start(upstream).await?;
    url.set_host(Some("127.0.0.1"))?;
    url.set_port(Some(proxy.address.port())).map_err(|()| "a URL without a port")?;
    Ok(proxy)
}

//! Requests per second on one core: the functions and a Django service, measured in turns.

use std::{cell::RefCell, time::Instant};

use chrono::DateTime;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Connection;

use crate::{
    Effort, Result,
    case::Case,
    cores::Core,
    django::{Django, Installation},
    instance::Instance,
    many_requests::cpu_time,
    request::Request,
    series::{Ratio, number, quantile},
    shop::Shop,
    table::table,
};

/// Processes and concurrent requests of each service: gunicorn's documentation recommends this for one core.
const PROCESSES: usize = 3;
/// The factor on the functions' requests in a round, so that a round takes both about as long.
const TO_FUNCTIONS: usize = 8;
/// The compared cases, and the divisor of their requests.
const CASES: [(Case, usize); 2] = [(Case::CachedRead, 1), (Case::Booking, 4)];
/// The case beside which bare functions are measured: their throughput is the upper limit for any function, and for one that
/// asks Redis once.
const BESIDE_BARE: Case = Case::CachedRead;
const BARE: [Case; 2] = [Case::Bare, Case::BareRedis];

/// The results on one core.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OneCore {
    /// What the functions were compared with, or why there is no comparison.
    pub about: String,
    /// Empty if nothing was compared.
    pub cases: Vec<OnOneCore>,
}

/// The results of one case on one core.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OnOneCore {
    pub case: String,
    /// Requests per second, the functions' against Django's.
    pub ratio: Ratio,
    /// CPU time per request, Django's against the functions'.
    pub cpu_ratio: Ratio,
    pub functions: Work,
    pub django: Work,
}

/// The work of a service on one core; medians over the rounds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Work {
    /// Requests per second.
    pub throughput: f64,
    /// CPU time per request, in milliseconds.
    pub cpu: f64,
    /// The fraction of the time that the core worked for the service; in the rest it waited for others, or they for it.
    pub busy: f64,
}

/// Measures the functions and Django in turns.
pub async fn measure(shop: &mut Shop, effort: Effort) -> Result<OneCore> {
    let nothing = |why: &str| Ok(OneCore { about: why.to_owned(), cases: Vec::new() });
    let Some(installation) = Installation::find()? else {
        return nothing("Not measured: no Django was found beside the binaries, where `make bench` installs it.");
    };
    let Some(core) = Core::set_apart()? else {
        return nothing("Not measured: it takes two cores, and util-linux.");
    };
    let (environment, log) = (shop.environment(shop.biggest()), shop.directory.join("django.log"));
    let django = Django::start(&installation, &core, PROCESSES, &environment, &log).await?;
    let cases = in_turns(shop, &core, &django, effort).await;
    django.stop().await?;
    core.give_back()?;
    Ok(OneCore { about: format!("{}, {PROCESSES} processes each.", installation.versions().await?), cases: cases? })
}

async fn in_turns(shop: &mut Shop, core: &Core, django: &Django, effort: Effort) -> Result<Vec<OnOneCore>> {
    let mut measured = Vec::new();
    for (case, part) in CASES {
        let mut services = vec![Service::Django(django), Service::start(shop, core, case).await?];
        say_the_same(shop, case, &mut services).await?;
        let mut names = vec![case];
        if case == BESIDE_BARE {
            for bare in BARE {
                services.push(Service::start(shop, core, bare).await?);
                names.push(bare);
            }
        }
        let mut rounds = vec![Vec::new(); services.len()];
        // The first round is the warm-up.
        for number_of_round in 0..=effort.rounds {
            for place in 0..services.len() {
                let place = (place + number_of_round) % rounds.len();
                let (Some(service), Some(works)) = (services.get_mut(place), rounds.get_mut(place)) else { continue };
                let times = if place == 0 { 1 } else { TO_FUNCTIONS };
                let requests = requests(shop, case, (effort.on_one_core / part).max(1) * times).await?;
                let work = round(shop, case, service, &requests).await?;
                if number_of_round > 0 {
                    works.push(work);
                }
            }
        }
        let Some((django, functions)) = rounds.split_first() else { continue };
        measured.extend(names.iter().zip(functions).map(|(name, own)| OnOneCore::of(*name, own, django)));
    }
    Ok(measured)
}

/// Requests of a case, each from an address without recent ones: Django's throttle keeps the times of each address.
async fn requests(shop: &mut Shop, case: Case, count: usize) -> Result<Vec<Request>> {
    let mut requests = Vec::with_capacity(count);
    for _ in 0..count {
        let address = shop.new_address();
        requests.push(case.request(shop).await?.from_address(&address));
    }
    Ok(requests)
}

/// Makes sure that both services answer a read with the same data.
async fn say_the_same(shop: &mut Shop, case: Case, services: &mut [Service<'_>]) -> Result<()> {
    let mut said = Vec::new();
    for service in services {
        for request in requests(shop, case, 1).await? {
            // Django compresses nothing.
            let request = request.with("accept-encoding", "identity");
            for (status, body) in service.answer(vec![service.words(&request)]).await? {
                request.check_status(status, &body)?;
                said.push(serde_json::from_str::<Value>(&body)?);
            }
        }
    }
    match said.as_slice() {
        [own, other] if case != Case::CachedRead || is_same(own, other) => Ok(()),
        _ => Err(format!("the function and Django do not say the same: {said:?}").into()),
    }
}

/// Whether two bodies are equal, apart from the format of times.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| is_same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::String(text), Value::String(other_text)) => {
            let time = |text: &str| DateTime::parse_from_rfc3339(text).ok();
            text == other_text || time(text).is_some_and(|at| Some(at) == time(other_text))
        }
        _ => one == other,
    }
}

/// Lets a service answer all requests and checks the results: all reads equal, all bookings in the database.
async fn round(shop: &Shop, case: Case, service: &mut Service<'_>, requests: &[Request]) -> Result<Work> {
    let waiting: Vec<String> = requests.iter().map(|request| service.words(request)).collect();
    let rows_before = rows(shop).await?;
    let (busy_before, started) = (service.cpu_time()?, Instant::now());
    let answers = service.answer(waiting).await?;
    let (time, busy) = (started.elapsed().as_secs_f64(), service.cpu_time()? - busy_before);
    for (request, (status, body)) in requests.iter().zip(&answers) {
        request.check_status(*status, body)?;
    }
    let made = if case == Case::Booking { i64::try_from(requests.len())? } else { 0 };
    let rows = rows(shop).await?;
    if answers.len() != requests.len() || rows != rows_before.map(|rows| rows + made) {
        return Err(format!("{made} bookings were made, and rows went from {rows_before:?} to {rows:?}").into());
    }
    let first = answers.first().map(|(_, body)| body);
    if case == Case::CachedRead && answers.iter().any(|(_, body)| Some(body) != first) {
        return Err("the same read was answered in two ways".into());
    }
    let count = number(requests.len() as u64);
    Ok(Work { throughput: count / time, cpu: busy / count * 1e3, busy: busy / time })
}

/// The numbers of customers, bookings and pairs of lines. Each measured booking adds one of each.
async fn rows(shop: &Shop) -> Result<[i64; 3]> {
    let mut connection = shop.connect(shop.biggest()).await?;
    let sql = "select (select count(*) from customers), (select count(*) from bookings),
               (select count(*) from booking_services) / 2";
    let (customers, bookings, lines) = sqlx::query_as(sql).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok([customers, bookings, lines])
}

enum Service<'a> {
    Functions(Vec<Instance>),
    Django(&'a Django),
}

impl Service<'_> {
    /// Starts the processes of the function that answers a case.
    async fn start(shop: &Shop, core: &Core, case: Case) -> Result<Self> {
        let mut functions = Vec::new();
        for _ in 0..PROCESSES {
            functions.push(shop.start_on(core, case.binary()).await?);
        }
        Ok(Self::Functions(functions))
    }

    /// The request as the service gets it: an event or HTTP.
    fn words(&self, request: &Request) -> String {
        match self {
            Self::Functions(_) => request.event(),
            Self::Django(_) => request.http(),
        }
    }

    /// Gives every process its next request as soon as it has answered the last; returns statuses and bodies.
    async fn answer(&mut self, waiting: Vec<String>) -> Result<Vec<(u64, String)>> {
        let answers = RefCell::new(Vec::with_capacity(waiting.len()));
        let waiting = RefCell::new(waiting);
        match self {
            Self::Functions(instances) => {
                try_join_all(instances.iter_mut().map(async |instance| -> Result<()> {
                    while let Some(event) = { waiting.borrow_mut().pop() } {
                        let answer = instance.invoke(event).await?;
                        let (status, body) = Request::outcome(&answer);
                        answers.borrow_mut().push((status, body.to_owned()));
                    }
                    Ok(())
                }))
                .await?;
            }
            Self::Django(django) => {
                try_join_all((0..PROCESSES).map(async |_| -> Result<()> {
                    while let Some(request) = { waiting.borrow_mut().pop() } {
                        let answer = django.send(&request).await?;
                        answers.borrow_mut().push(answer);
                    }
                    Ok(())
                }))
                .await?;
            }
        }
        Ok(answers.into_inner())
    }

    /// CPU time of its processes, in seconds.
    fn cpu_time(&self) -> Result<f64> {
        match self {
            Self::Functions(instances) => cpu_time(instances),
            Self::Django(django) => Ok(django.cpu_time()?.as_secs_f64()),
        }
    }
}

impl OnOneCore {
    /// Compares round by round.
    fn of(case: Case, functions: &[Work], django: &[Work]) -> Self {
        let pairs = || functions.iter().zip(django);
        Self {
            case: case.name().to_owned(),
            ratio: Ratio::of(pairs().map(|(own, other)| own.throughput / other.throughput).collect()),
            cpu_ratio: Ratio::of(pairs().map(|(own, other)| other.cpu / own.cpu).collect()),
            functions: Work::median(functions),
            django: Work::median(django),
        }
    }
}

impl Work {
    fn median(rounds: &[Self]) -> Self {
        let median = |part: fn(&Self) -> f64| quantile(&mut rounds.iter().map(part).collect::<Vec<_>>(), 0.5);
        Self {
            throughput: median(|work| work.throughput),
            cpu: median(|work| work.cpu),
            busy: median(|work| work.busy),
        }
    }
}

impl OneCore {
    /// The two ratios of a case, if it was measured: by CPU time per request, and by requests per second.
    pub(crate) fn ratios(&self, case: Case) -> Option<(Ratio, Ratio)> {
        let of_case = self.cases.iter().find(|on_one_core| on_one_core.case == case.name())?;
        Some((of_case.cpu_ratio, of_case.ratio))
    }

    /// The results as text.
    pub(crate) fn text(&self) -> String {
        if self.cases.is_empty() {
            return format!("{}\n", self.about);
        }
        let per_second = |work: Work| format!("{:.0}", work.throughput);
        let cpu = |work: Work| format!("{:.2}", work.cpu);
        let busy = |work: Work| format!("{:.0} %", work.busy * 100.0);
        let row = |case: &OnOneCore| {
            let (functions, django) = (case.functions, case.django);
            vec![
                case.case.clone(),
                per_second(functions),
                per_second(django),
                case.ratio.to_string(),
                cpu(functions),
                cpu(django),
                case.cpu_ratio.to_string(),
                busy(functions),
                busy(django),
            ]
        };
        let columns = ["case", "requests/s", "Django", "×", "CPU", "Django", "×", "busy", "Django"];
        format!(
            "{}\n{} Numbers are of this machine in this run, and good for nothing but the ratios.\n\
             CPU is milliseconds of the core per request, busy the part of the time for which the core worked for the\n\
             service: where that is far below 100 %, Postgres, Redis or the bench on the other cores set the pace,\n\
             and the core has time for more requests than it was asked. A bare function does nothing.\n",
            table(&columns, &self.cases.iter().map(row).collect::<Vec<_>>()),
            self.about
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_same;

    #[test]
    fn equal_bodies_may_differ_in_the_format_of_times_only() {
        let body = |name: &str, at: &str| json!({ "data": [{ "id": 1, "name": name, "created_at": at }] });
        let own = body("Activa", "2026-11-22T10:00:00.000000+00:00");
        assert!(is_same(&own, &body("Activa", "2026-11-22T15:30:00+05:30")));
        for other in [
            body("Activa", "2026-11-22T15:30:01+05:30"),
            body("Dio", "2026-11-22T15:30:00+05:30"),
            json!({ "data": [] }),
            json!({}),
        ] {
            assert!(!is_same(&own, &other) && !is_same(&other, &own), "{other}");
        }
    }
}

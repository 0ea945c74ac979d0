//! `bench simulate REPORT`: environments, connections and the database for loads that no machine here can make, from the
//! measured costs of a report. `docs/speed.md` says what it leaves out.

mod engine;

use self::engine::{Arrivals, Function, Kind, Outcome, Setting, Step, run};
use crate::{
    Result,
    case::Case,
    many_requests::WithInstances,
    one_request::Cost,
    report::Report,
    series::{number, quantile},
    table::table,
};

const SEED: u64 = 20_261_129;

/// The part of a core that a function of 512 MiB has.
const SHARE: f64 = 512.0 / 1769.0;
/// A round trip to a server in the same region.
const NETWORK: f64 = 0.000_5;
/// What RDS Proxy adds to a round trip.
const PROXY: f64 = 0.000_5;
/// A commit waits so long for the disk of RDS.
const COMMIT: f64 = 0.002;
/// From the first byte of a cold start to the end of its init, with what AWS does before.
const COLD: f64 = 0.2;
/// Ten million reads of the catalogue a day, and in its busiest hour three times the average.
const READS: f64 = 10e6 / 86_400.0 * 3.0;
/// How often a customer looks at free slots for each booking.
const LOOKS: f64 = 5.0;

/// A class of RDS with the connections that `template.yaml` counts on.
struct Class {
    name: &'static str,
    cores: usize,
    connections: usize,
}

const CLASSES: [Class; 3] = [
    Class { name: "db.t4g.micro", cores: 2, connections: 65 },
    Class { name: "db.t4g.large", cores: 2, connections: 660 },
    Class { name: "db.m7g.xlarge", cores: 4, connections: 1_400 },
];

/// The measured costs of a request, in seconds.
#[derive(Clone, Copy, Debug)]
struct Measured {
    /// In the function.
    cpu: f64,
    /// Outside of it: Postgres, Redis, and the bench itself.
    elsewhere: f64,
    to_postgres: f64,
    to_redis: f64,
}

impl Measured {
    fn of(report: &Report, case: Case) -> Result<Self> {
        let named = |cost: &&Cost| cost.case == case.name();
        let cost = report.costs.iter().find(named).ok_or_else(|| format!("no {} in the report", case.name()))?;
        Ok(Self {
            cpu: cost.cpu / 1e3,
            elsewhere: (cost.warm_p50 - cost.cpu).max(0.0) / 1e3,
            to_postgres: cost.to_postgres,
            to_redis: cost.to_redis,
        })
    }

    /// A request on AWS: its round trips over the network, with the work of Postgres spread over them.
    fn steps(self, work: f64, commits: bool, trip: f64) -> Vec<Step> {
        let mut steps = vec![Step::Wait(self.cpu / SHARE), Step::Wait(self.to_redis * NETWORK), Step::Begin];
        let mut left = self.to_postgres;
        while left > 0.0 {
            steps.push(Step::Wait(trip));
            steps.push(Step::At(0, work / self.to_postgres * left.min(1.0)));
            left -= 1.0;
        }
        if commits {
            steps.push(Step::Wait(COMMIT));
        }
        steps.push(Step::End);
        steps
    }
}

/// The simulated requests per second of the report's run with the most instances, and the measured ones.
#[derive(Clone, Debug)]
pub struct Check {
    pub case: String,
    pub instances: usize,
    pub simulated: f64,
    pub measured: f64,
}

/// Simulates the report's own runs with several instances: all of their work on the machine's cores. Nothing of these
/// runs goes in, except the requests per second of a single instance.
pub fn check(report: &Report) -> Result<Vec<Check>> {
    let cores = report.machine.split(' ').next().and_then(|cores| cores.parse().ok()).ok_or("no cores")?;
    let mut checks = Vec::new();
    for case in [Case::CachedRead, Case::Slots, Case::Booking] {
        let of_case = || report.instances.iter().filter(|with| with.case == case.name());
        let most = of_case().max_by_key(|with| with.instances).ok_or("no run with several instances")?;
        let one = of_case().find(|with| with.instances == 1).ok_or("no run with one instance")?;
        checks.push(Check {
            case: case.name().to_owned(),
            instances: most.instances,
            simulated: closed(cores, one, most.instances),
            measured: most.throughput,
        });
    }
    Ok(checks)
}

fn closed(cores: usize, one: &WithInstances, instances: usize) -> f64 {
    let (whole, cpu) = (1.0 / one.throughput, one.cpu / 1e3);
    let setting = Setting {
        kinds: vec![Kind {
            arrivals: Arrivals::Always(instances),
            steps: vec![Step::At(0, cpu.min(whole)), Step::At(0, (whole - cpu).max(0.0))],
            function: 0,
        }],
        functions: vec![Function { limit: instances, start: 0.0 }],
        stations: vec![cores],
        seconds: 20.0,
    };
    let outcome = run(&setting, SEED);
    number(outcome.times.concat().len() as u64) / outcome.seconds
}

/// The simulation of a report's loads as tables.
pub fn text(report: &Report) -> Result<String> {
    let rows: Vec<Vec<String>> = check(report)?
        .into_iter()
        .map(|check| {
            vec![
                check.case,
                check.instances.to_string(),
                format!("{:.0}", check.simulated),
                format!("{:.0}", check.measured),
                format!("{:+.0} %", (check.simulated / check.measured - 1.0) * 100.0),
            ]
        })
        .collect();
    let checked = table(&["case", "instances", "simulated/s", "measured/s", "error"], &rows);
    let mut rows = Vec::new();
    for rate in [1.0, 10.0, 100.0] {
        for class in &CLASSES {
            for (name, options) in Options::ALL {
                rows.push(Load { rate, class, options }.row(report, name)?);
            }
        }
    }
    let columns = [
        "bookings/s",
        "class",
        "with",
        "booking: started / busy",
        "reading: started / busy",
        "connections",
        "of",
        "Postgres busy",
        "booking p50",
        "p99",
        "refused",
    ];
    let booking = work_of_postgres(report, Case::Booking)?;
    let looks = LOOKS * work_of_postgres(report, Case::Slots)?;
    let full: Vec<Vec<String>> = CLASSES
        .iter()
        .map(|class| {
            let rate = |work: f64| format!("{:.0}", number(class.cores as u64) / work);
            vec![class.name.to_owned(), rate(booking + looks), rate(booking.max(looks))]
        })
        .collect();
    let full = table(&["Postgres is full at", "bookings/s", "with a read replica"], &full);
    Ok(format!("{checked}\n{}\n{full}", table(&columns, &rows)))
}

/// What Postgres works for a request, in seconds. The cached read's time outside of the function is the bench's and
/// Redis's: it is no work of Postgres.
fn work_of_postgres(report: &Report, case: Case) -> Result<f64> {
    let read = Measured::of(report, Case::CachedRead)?;
    Ok((Measured::of(report, case)?.elsewhere - read.elsewhere).max(0.0))
}

#[derive(Clone, Copy)]
struct Options {
    has_proxy: bool,
    has_replica: bool,
}

impl Options {
    const ALL: [(&'static str, Self); 3] = [
        ("nothing", Self { has_proxy: false, has_replica: false }),
        ("RDS Proxy", Self { has_proxy: true, has_replica: false }),
        ("a read replica", Self { has_proxy: false, has_replica: true }),
    ];
}

struct Load<'a> {
    rate: f64,
    class: &'a Class,
    options: Options,
}

impl Load<'_> {
    fn row(&self, report: &Report, name: &str) -> Result<Vec<String>> {
        let outcome = self.simulated(report)?;
        let environments = |function: usize| outcome.environments.get(function).copied().unwrap_or_default();
        let busiest = |function: usize| outcome.busiest.get(function).copied().unwrap_or_default();
        // A catalogue function asks Postgres on a miss, and keeps the connection.
        let connections = if self.options.has_proxy { outcome.transactions } else { environments(0) + environments(1) };
        let mut bookings = outcome.times.first().cloned().unwrap_or_default();
        let refused: usize = outcome.refused.iter().sum();
        let cores = number(self.class.cores as u64);
        let busy = outcome.busy.first().copied().unwrap_or_default() / outcome.seconds / cores;
        let mut time = |part| format!("{:.0}", quantile(&mut bookings, part) * 1e3);
        Ok(vec![
            format!("{:.0}", self.rate),
            self.class.name.to_owned(),
            name.to_owned(),
            format!("{} / {}", environments(0), busiest(0)),
            format!("{} / {}", environments(1), busiest(1)),
            connections.to_string(),
            self.class.connections.to_string(),
            format!("{:.0} %", busy * 100.0),
            time(0.5),
            time(0.99),
            refused.to_string(),
        ])
    }

    /// Function 0 books and shows slots, function 1 reads the catalogue. Station 0 is Postgres, station 1 its replica.
    fn simulated(&self, report: &Report) -> Result<Outcome> {
        let booking = Measured::of(report, Case::Booking)?;
        let slots = Measured::of(report, Case::Slots)?;
        let read = Measured::of(report, Case::CachedRead)?;
        let trip = NETWORK + if self.options.has_proxy { PROXY } else { 0.0 };
        let mut looks = slots.steps(work_of_postgres(report, Case::Slots)?, false, trip);
        if self.options.has_replica {
            for step in &mut looks {
                if let Step::At(station, _) = step {
                    *station = 1;
                }
            }
        }
        let kind = |rate, steps, function| Kind { arrivals: Arrivals::PerSecond(rate), steps, function };
        let limit = if self.options.has_proxy { 1_000 } else { self.class.connections / 2 };
        let setting = Setting {
            kinds: vec![
                kind(self.rate, booking.steps(work_of_postgres(report, Case::Booking)?, true, trip), 0),
                kind(self.rate * LOOKS, looks, 0),
                kind(READS, vec![Step::Wait(read.cpu / SHARE), Step::Wait(read.to_redis * NETWORK)], 1),
            ],
            functions: vec![Function { limit, start: COLD }; 2],
            stations: vec![self.class.cores; 2],
            seconds: 300.0,
        };
        Ok(run(&setting, SEED))
    }
}

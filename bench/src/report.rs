//! The report of a run: tables to read, a file to keep.

use std::{fmt::Write, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    Effort, Result, Shop,
    away::{self, FirstAnswer},
    binaries::{self, Binary},
    many_requests::{self, AtSize, Rush, WithInstances},
    memory::{self, Peak},
    one_core::{self, OneCore},
    one_request::{self, Cost},
    series::number,
    table::table,
    targets::{Target, targets},
};

/// All results of a run. Times are milliseconds on the machine of the run, useful in ratios only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The measured commit; `-dirty` with uncommitted changes.
    pub commit: String,
    /// The time of the report, in UTC.
    pub at: String,
    /// Cores and processor.
    pub machine: String,
    /// Rounds per median.
    pub rounds: usize,
    pub targets: Vec<Target>,
    /// One request at a time.
    pub costs: Vec<Cost>,
    /// The functions of which only the memory is measured. Missing in reports of older runs.
    #[serde(default)]
    pub others: Vec<Peak>,
    /// Time of a booking's SQL in pgbench, in milliseconds.
    pub sql: Option<f64>,
    /// Cold starts as on AWS. Missing in reports of older runs.
    #[serde(default)]
    pub away: Vec<FirstAnswer>,
    /// Many attempts at one slot.
    pub rush: Rush,
    /// Growing databases.
    pub sizes: Vec<AtSize>,
    /// Growing numbers of instances.
    pub instances: Vec<WithInstances>,
    /// One core, against Django. Missing in reports of older runs.
    #[serde(default)]
    pub one_core: OneCore,
    /// Sizes of the binaries, smallest first.
    pub binaries: Vec<Binary>,
}

/// The bare functions, and all deployed ones.
const BINARIES: [&str; 16] = [
    "bare",
    "bare_redis",
    "bare_away",
    "vehicles",
    "services",
    "shop",
    "bookings",
    "auth",
    "staff",
    "admin",
    "manage",
    "payments",
    "messages",
    "jobs",
    "status",
    "migrate",
];

impl Report {
    /// Measures everything.
    pub async fn measure(shop: &mut Shop, effort: Effort) -> Result<Self> {
        say("memory of the functions that are not timed");
        let others = memory::others(shop, effort).await?;
        say("one request at a time");
        let (costs, compared) = one_request::measure(shop, effort).await?;
        say("cold starts as on AWS");
        let away = away::measure(shop, effort).await?;
        say("many attempts at one slot");
        let rush = many_requests::rush(shop, effort).await?;
        say("ever more bookings");
        let sizes = many_requests::sizes(shop, effort).await?;
        say("ever more instances");
        let instances = many_requests::instances(shop, effort).await?;
        say("one core, in turns with Django");
        let one_core = one_core::measure(shop, effort).await?;
        let targets = targets((&costs, &others), &compared, &away, &sizes, &one_core, &rush);
        Ok(Self {
            commit: commit(),
            at: chrono::Utc::now().format("%F %R").to_string(),
            machine: machine(),
            rounds: effort.rounds,
            targets,
            costs,
            others,
            sql: compared.sql,
            away,
            rush,
            sizes,
            instances,
            one_core,
            binaries: binaries::sizes(&shop.binaries, &BINARIES)?,
        })
    }

    /// Reads the file of an earlier run.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The report as text.
    pub fn text(&self) -> String {
        let mut text =
            format!("{} on {}, {} UTC, medians over {} rounds\n", self.commit, self.machine, self.at, self.rounds);
        for (title, part) in [
            ("Targets", self.targets_table()),
            ("One request at a time", self.costs_table()),
            ("Memory of the functions that are not timed", self.others_table()),
            ("Against the build beside it", self.beside_table()),
            ("Cold starts as on AWS", away::text(&self.away)),
            ("With so many bookings on file", self.sizes_table()),
            ("With so many instances at once", self.instances_table()),
            ("On one core", self.one_core.text()),
            ("Binaries", self.binaries_table()),
        ] {
            if !part.is_empty() {
                let _ = write!(text, "\n{title}\n\n{part}");
            }
        }
        text
    }

    fn targets_table(&self) -> String {
        let verdict = |is_met| match is_met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not measured",
        };
        let row = |target: &Target| {
            vec![target.what.clone(), target.target.clone(), target.measured.clone(), verdict(target.is_met).to_owned()]
        };
        table(&["what", "target", "measured", ""], &self.targets.iter().map(row).collect::<Vec<_>>())
    }

    fn costs_table(&self) -> String {
        let columns = [
            "case",
            "init",
            "first",
            "cold ×bare",
            "p50",
            "p99",
            "warm ×bare",
            "CPU",
            "MiB",
            "×bare",
            "Postgres",
            "Redis",
            "Descope",
            "noise",
        ];
        let trips = |trips: f64| if trips == 0.0 { "–".to_owned() } else { format!("{trips:.1}") };
        let row = |cost: &Cost| {
            vec![
                cost.case.clone(),
                format!("{:.1}", cost.init),
                format!("{:.1}", cost.first),
                cost.cold_ratio.to_string(),
                format!("{:.2}", cost.warm_p50),
                format!("{:.2}", cost.warm_p99),
                cost.warm_ratio.to_string(),
                format!("{:.2}", cost.cpu),
                format!("{:.1}", cost.memory),
                format!("{:.2}", cost.memory_ratio),
                trips(cost.to_postgres),
                trips(cost.to_redis),
                trips(cost.to_descope),
                format!("±{:.0} %", cost.noise * 100.0),
            ]
        };
        let table = table(&columns, &self.costs.iter().map(row).collect::<Vec<_>>());
        let sql = self.sql.map_or_else(
            || "No pgbench was found: the booking is compared with nothing.".to_owned(),
            |sql| format!("A booking's SQL alone, in pgbench: {sql:.2}."),
        );
        format!(
            "{table}\nMilliseconds of this machine in this run; ratios with their quartiles. Postgres, Redis, Descope: round\n\
             trips per request. {sql}\n"
        )
    }

    fn others_table(&self) -> String {
        let row = |other: &Peak| {
            let (peak, ratio) = (format!("{:.1}", other.peak), format!("{:.2}", other.ratio));
            vec![other.case.clone(), other.function.clone(), peak, ratio]
        };
        let rows: Vec<Vec<String>> = self.others.iter().map(row).collect();
        if rows.is_empty() { String::new() } else { table(&["case", "function", "MiB", "×bare"], &rows) }
    }

    fn beside_table(&self) -> String {
        let row = |cost: &Cost| {
            let beside = cost.beside?;
            let memory = format!("{:.2}", beside.memory);
            let ratios = [beside.cold, beside.warm, beside.cpu].map(|ratio| ratio.to_string());
            Some([cost.case.clone()].into_iter().chain(ratios).chain([memory]).collect())
        };
        let rows: Vec<Vec<String>> = self.costs.iter().filter_map(row).collect();
        if rows.is_empty() { String::new() } else { table(&["case", "cold", "warm", "CPU", "memory"], &rows) }
    }

    fn sizes_table(&self) -> String {
        let smallest = self.sizes.iter().map(|at| at.bookings).min().unwrap_or_default();
        let row = |at: &AtSize| {
            vec![at.case.clone(), at.bookings.to_string(), format!("{:.2}", at.p50), at.ratio.to_string()]
        };
        table(&["case", "bookings", "p50", &format!("×{smallest}")], &self.sizes.iter().map(row).collect::<Vec<_>>())
    }

    fn instances_table(&self) -> String {
        let row = |with: &WithInstances| {
            vec![
                with.case.clone(),
                with.instances.to_string(),
                format!("{:.0}", with.throughput),
                with.ratio.to_string(),
                format!("{:.2}", with.cpu),
                format!("{:.1}", with.p99),
                with.failures.to_string(),
            ]
        };
        let columns = ["case", "instances", "requests/s", "×1", "CPU", "p99", "failures"];
        table(&columns, &self.instances.iter().map(row).collect::<Vec<_>>())
    }

    fn binaries_table(&self) -> String {
        let bare = self.binaries.iter().find(|binary| binary.name == "bare").map_or(1, |binary| binary.bytes);
        let row = |binary: &Binary| {
            let size = number(binary.bytes);
            vec![
                binary.name.clone(),
                format!("{:.1}", size / f64::from(1 << 20)),
                format!("{:.1}", size / number(bare)),
            ]
        };
        table(&["binary", "MiB", "×bare"], &self.binaries.iter().map(row).collect::<Vec<_>>())
    }
}

fn say(step: &str) {
    eprintln!("── {step}");
}

fn commit() -> String {
    let git = std::process::Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let commit = git.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    if commit.trim().is_empty() { "uncommitted".to_owned() } else { commit.trim().to_owned() }
}

fn machine() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, model)| model.trim()))
}

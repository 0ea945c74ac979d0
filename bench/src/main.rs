//! `make bench`: measures the built functions, or compares two measurements.
//!
//! ```text
//! bench [--quick] [--binaries DIRECTORY] [--beside DIRECTORY] [--against FILE]
//! bench away [--quick] …               only the cold starts as on AWS
//! bench [--quick] … reads DIRECTORY…   the cached read of several builds in turns
//! bench [--quick] … memory DIRECTORY…  the memory of several builds, by what fills it
//! bench [--quick] … calls              the linker script that puts what requests call together
//! bench history                        rewrites the table of docs/speed.md, and its picture
//! bench simulate FILE
//! bench compare OLD NEW
//! bench contents BINARY
//! ```
#![expect(
    clippy::disallowed_methods,
    reason = "this is no part of the deployed system, which names its variables in shared"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use bench::{
    Effort, Result, Shop, away, binaries, calls, compare::compare, history, memory, reads, report::Report, simulate,
};

// One thread: the bench must compete with the measured functions for no more than one core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["compare", old, new] => compared(old, new),
        ["history"] => history(),
        ["simulate", file] => Report::read(Path::new(file)).and_then(|report| simulate::text(&report)),
        ["contents", binary] => binaries::contents(Path::new(binary)),
        options => match Options::read(options) {
            Ok(options) => options.run().await,
            Err(error) => Err(error),
        },
    };
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compared(old: &str, new: &str) -> Result<String> {
    Ok(compare(&Report::read(Path::new(old))?, &Report::read(Path::new(new))?))
}

fn history() -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (docs, page) = (root.join("docs"), root.join("docs/speed.md"));
    let runs = history::read(&docs.join("speed-history.json"), &root.join("target/bench"))?;
    let table = history::text(&runs);
    fs::write(&page, history::placed(&fs::read_to_string(&page)?, &table)?)?;
    fs::write(docs.join("speed-history.svg"), history::picture(&runs))?;
    Ok(table)
}

/// What is measured.
enum Part {
    Whole,
    Away,
    /// The directories of the builds.
    Reads(Vec<PathBuf>),
    /// The same.
    Memory(Vec<PathBuf>),
    Calls,
}

struct Options {
    is_quick: bool,
    part: Part,
    binaries: PathBuf,
    beside: Option<PathBuf>,
    against: Option<Report>,
}

impl Options {
    fn read(words: &[&str]) -> Result<Self> {
        let binaries = env::current_exe()?.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut options = Self { is_quick: false, part: Part::Whole, binaries, beside: None, against: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match (*word, words.as_slice().first()) {
                ("away", _) => options.part = Part::Away,
                ("reads", _) => options.part = Part::Reads(words.by_ref().map(PathBuf::from).collect()),
                ("memory", _) => options.part = Part::Memory(words.by_ref().map(PathBuf::from).collect()),
                ("calls", _) => options.part = Part::Calls,
                ("--quick", _) => options.is_quick = true,
                ("--binaries", Some(directory)) => {
                    options.binaries = PathBuf::from(directory);
                    words.next();
                }
                ("--beside", Some(directory)) => {
                    options.beside = Some(PathBuf::from(directory));
                    words.next();
                }
                ("--against", Some(file)) => {
                    options.against = Some(Report::read(Path::new(file))?);
                    words.next();
                }
                _ => return Err(format!("{word:?} is not understood").into()),
            }
        }
        Ok(options)
    }

    async fn run(self) -> Result<String> {
        let database_url = env::var("DATABASE_URL").map_err(|_| "DATABASE_URL is not set")?;
        let redis_url = env::var("REDIS_URL").map_err(|_| "REDIS_URL is not set")?;
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        let servers = (database_url.as_str(), redis_url.as_str());
        let effort = if self.is_quick { Effort::QUICK } else { Effort::WHOLE };
        let binaries = (self.binaries.as_path(), self.beside.as_deref());
        let mut shop = Shop::open(servers, &effort.sizes, binaries, &directory).await?;
        let measured = match &self.part {
            Part::Whole => None,
            Part::Away => Some(away::measure(&mut shop, effort).await.map(|answers| away::text(&answers))),
            Part::Reads(directories) => Some(reads::measure(&mut shop, directories, effort).await),
            Part::Memory(directories) => Some(memory::measure(&mut shop, directories, effort).await),
            Part::Calls => Some(calls::script(&mut shop).await),
        };
        if let Some(measured) = measured {
            shop.close().await?;
            return measured;
        }
        let report = tokio::select! {
            report = Report::measure(&mut shop, effort) => report,
            _ = tokio::signal::ctrl_c() => Err("stopped".into()),
        };
        let closed = shop.close().await;
        let report = report?;
        closed?;
        if self.is_quick {
            return Ok(format!("{}\nToo little was measured to tell anything but round trips.", report.text()));
        }
        report.write(&directory)?;
        let compared = self.against.map(|old| compare(&old, &report)).unwrap_or_default();
        Ok(format!("{}\n{compared}", report.text()))
    }
}

//! JSON log lines for CloudWatch: `timestamp` and `level` at the top level, as Lambda's level filter expects them.

mod lines;
mod request;

use std::fmt::Write;

use tracing::{Subscriber, error, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt::MakeWriter, prelude::*};

use self::lines::Lines;
pub(crate) use self::request::{Request, name_record};
pub use self::request::{invocation, name_actor, name_bookings, name_customers};
use crate::config;

/// Crates that log at the chosen level. Others log at `info` at most: below it the Lambda runtime logs whole events,
/// with their secrets and personal data.
const OWN: [&str; 14] = [
    "admin", "auth", "bookings", "jobs", "manage", "messages", "migrate", "payments", "services", "shared", "shop",
    "staff", "status", "vehicles",
];

/// Starts logging at the level that `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` names, else `info`.
pub fn init() {
    let level = config::optional(config::AWS_LAMBDA_LOG_LEVEL).or_else(|| config::optional(config::RUST_LOG));
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    writing(level, std::io::stdout).init();
}

/// What writes log lines of a level and above.
pub fn writing<W>(level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::registry().with(lines_of(level)).with(Lines { writer })
}

/// Ids as a text such as `3,7-9,20`; of very many the first, and how many more.
fn ranges(ids: impl IntoIterator<Item = i64>) -> String {
    const LONGEST: usize = 8000;
    let mut ids: Vec<i64> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut text = String::new();
    let mut rest = ids.as_slice();
    while let Some(first) = rest.first() {
        if text.len() > LONGEST {
            let _ = write!(text, " and {} more", rest.len());
            break;
        }
        // A range to the last id could go beyond the highest number.
        let run = (*first..=i64::MAX).zip(rest).take_while(|(expected, id)| expected == *id).count();
        let separator = if text.is_empty() { "" } else { "," };
        let _ = match rest.get(run - 1) {
            Some(last) if last > first => write!(text, "{separator}{first}-{last}"),
            _ => write!(text, "{separator}{first}"),
        };
        rest = rest.get(run..).unwrap_or_default();
    }
    text
}

fn lines_of(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::INFO)).with_targets(OWN.map(|own| (own, level)))
}

/// Logs a panic as one JSON line, without its message, which may quote a caller's input.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(place, "panicked");
    }));
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn other_crates_never_log_below_info() {
        let lines = lines_of(LevelFilter::TRACE);
        assert!(lines.would_enable("shared::http::observe", &Level::TRACE));
        assert!(lines.would_enable("lambda_runtime::layers::api_response", &Level::INFO));
        for carrier in
            ["lambda_runtime::layers::api_response", "aws_sigv4::http_request", "hyper::proto", "sqlx::query"]
        {
            assert!(!lines.would_enable(carrier, &Level::DEBUG), "{carrier}");
        }
        assert!(!lines_of(LevelFilter::WARN).would_enable("lambda_runtime", &Level::INFO));
    }

    #[test]
    fn ids_are_written_in_ranges() {
        assert_eq!(ranges([9, 3, 8, 7, 20, 9]), "3,7-9,20");
        assert_eq!(ranges([]), "");
        let many = ranges((0..10_000).map(|id| id * 2));
        assert!(many.len() < 8100 && many.ends_with(" more"), "{many}");
    }

    #[test]
    fn own_crates_are_shared_and_every_function() {
        let functions = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions")).unwrap();
        let mut names: Vec<String> = functions
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .chain(["shared".to_owned()])
            .collect();
        names.sort_unstable();
        assert_eq!(names, OWN);
    }
}

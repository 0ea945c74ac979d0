//! JSON log lines for CloudWatch: `timestamp` and `level` at the top level, as Lambda's level filter expects them.

use tracing::{error, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt::time::ChronoUtc, prelude::*};

use crate::config;

/// Crates that log at the chosen level. Others log at `info` at most: below it the Lambda runtime logs whole events and
/// the AWS SDK whole answers, with their secrets and personal data.
const OWN: [&str; 12] = [
    "admin", "auth", "bookings", "jobs", "migrate", "payments", "services", "shared", "shop", "staff", "status",
    "vehicles",
];

/// Starts logging at the level that `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` names, else `info`.
pub fn init() {
    let level = config::optional(config::AWS_LAMBDA_LOG_LEVEL).or_else(|| config::optional(config::RUST_LOG));
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_timer(ChronoUtc::rfc_3339());
    tracing_subscriber::registry().with(lines_of(level)).with(lines).init();
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
            ["lambda_runtime::layers::api_response", "aws_smithy_runtime::client", "hyper::proto", "sqlx::query"]
        {
            assert!(!lines.would_enable(carrier, &Level::DEBUG), "{carrier}");
        }
        assert!(!lines_of(LevelFilter::WARN).would_enable("lambda_runtime", &Level::INFO));
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

//! JSON lines for CloudWatch: `timestamp` and `level` at the top, as Lambda's own level filter expects them.

use tracing::{error, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt::time::ChronoUtc, prelude::*};

use crate::config;

/// Whose lines follow the chosen level. Below `info` the crates that we use tell what they carry: the runtime whole events,
/// the AWS SDK whole answers, with all that is secret or personal in them.
const OWN: [&str; 11] =
    ["auth", "bookings", "jobs", "migrate", "payments", "services", "shared", "shop", "staff", "status", "vehicles"];

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

/// Logs a panic as one JSON line, without its message: that may quote what a caller sent.
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
    fn no_level_lets_other_crates_tell_what_they_carry() {
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
    fn every_function_is_one_of_ours() {
        let functions = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions")).unwrap();
        let mut names: Vec<String> = functions
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .chain(["shared".to_owned()])
            .collect();
        names.sort_unstable();
        assert_eq!(names, OWN);
    }
}

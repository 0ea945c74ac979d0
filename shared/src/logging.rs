//! JSON lines for CloudWatch: `timestamp` and `level` at the top, as Lambda's own level filter expects them.

use tracing::{Level, error};
use tracing_subscriber::{filter::Targets, fmt::time::ChronoUtc, prelude::*};

use crate::config;

/// Starts logging at the level that `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` names, else `info`.
pub fn init() {
    let level = config::optional(config::AWS_LAMBDA_LOG_LEVEL).or_else(|| config::optional(config::RUST_LOG));
    let filter: Targets =
        level.and_then(|level| level.parse().ok()).unwrap_or_else(|| Targets::new().with_default(Level::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_timer(ChronoUtc::rfc_3339());
    tracing_subscriber::registry().with(filter).with(lines).init();
}

/// Logs a panic as one JSON line, without its message: that may quote what a caller sent.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(place, "panicked");
    }));
}

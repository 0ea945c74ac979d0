//! JSON lines for CloudWatch: `timestamp` and `level` at the top, as Lambda's own level filter expects them.

use tracing::error;
use tracing_subscriber::{EnvFilter, fmt::time::ChronoUtc};

use crate::config;

/// Starts logging at the level that `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` names, else `info`.
pub fn init() {
    let level = config::optional(config::AWS_LAMBDA_LOG_LEVEL).or_else(|| config::optional(config::RUST_LOG));
    let filter = EnvFilter::try_new(level.as_deref().unwrap_or("info")).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_timer(ChronoUtc::rfc_3339())
        .with_env_filter(filter)
        .init();
}

/// Logs a panic as one JSON line, without its message: that may quote what a caller sent.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(place, "panicked");
    }));
}

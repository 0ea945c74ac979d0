//! Metrics for CloudWatch: one line per invocation in its embedded metric format, which needs no API call.
//!
//! Metrics are counted in memory, anywhere, and written by [`flush`] when an invocation ends. Nothing is counted where
//! `METRICS_NAMESPACE` is not set.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{
    io::{self, Write},
    sync::OnceLock,
    time::Duration,
};

use ::metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::warn;

use crate::config;

/// The dimension of requests, their failures and their latency, beside their totals: method and route, such as
/// `GET /api/bookings/{id}`.
const ROUTE: &str = "Route";
const REQUESTS: &str = "Requests";
const SERVER_ERRORS: &str = "ServerErrors";
const LATENCY: &str = "Latency";

macro_rules! names {
    ($kind:ident: $about:literal $($(#[$documentation:meta])* $name:ident;)*) => {
        #[doc = $about]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind {
            $($(#[$documentation])* $name,)*
        }

        impl $kind {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in CloudWatch.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

names! {
    Count: "A counter, incremented once per event."
    /// The first request of an environment.
    ColdStarts;
    /// A read of the catalogue was answered from Redis.
    CacheHits;
    /// A read of the catalogue was answered from Postgres.
    CacheMisses;
    BookingsMade;
    /// A booking was made for a number that was not proved.
    UnprovedBookings;
    /// A check of readiness found that Postgres answers.
    Ready;
    /// Redis did not answer: rate limits let pass, and the catalogue comes from Postgres.
    RedisAway;
    /// A booking or a move was refused because its slot was full.
    SlotsFull;
    /// A one-time code was sent.
    OtpSent;
    /// A one-time code was refused because the hourly budget over all numbers is spent.
    OtpBudgetSpent;
    /// Descope refused the project id or a key of ours.
    DescopeKeysRefused;
    /// A booking was paid.
    PaymentsSettled;
    /// A payment does not fit its order.
    PaymentMismatches;
    /// A refund failed at Razorpay.
    RefundsFailed;
    /// Razorpay refused a refund for a reason that may pass; it is tried again.
    RefundsRefused;
    /// Razorpay refused our API key.
    RazorpayKeyRefused;
    /// A customer's bank wants a payment back; the shop must answer in time.
    DisputesOpened;
    /// A webhook was not signed with our secret; it was refused.
    WebhooksRefused;
    /// A webhook could not be applied; Razorpay retries it.
    WebhooksFailed;
    /// A message failed on its channel: it was refused for good, or could not be delivered.
    MessagesFailed;
    /// A message may have been sent: the carrier's answer was lost.
    MessagesUnknown;
    /// A carrier takes no message of ours, or not one of a kind: a token, an account or a template.
    ChannelsStopped;
    /// A scheduled job ended in an error.
    JobsFailed;
}

names! {
    Level: "A gauge, recorded in each run of a job; 0 is a value too."
    /// Discrepancies about money that a person must look at, in each run of the reconciliation.
    ReconciliationMismatches;
    /// Age of the oldest undelivered message in seconds, in each run of the delivery.
    OutboxAge;
    /// For how many seconds the oldest message to a person has been due, in each run that sends.
    MessagesAge;
}

/// The metrics of requests, which are counted by route too.
pub const OF_REQUESTS: [&str; 3] = [REQUESTS, SERVER_ERRORS, LATENCY];

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();
/// Whether requests are counted by route too: CloudWatch charges for each route's metrics.
static BY_ROUTE: OnceLock<bool> = OnceLock::new();

/// Begins to count, if `METRICS_NAMESPACE` is set; by route too, if `ROUTE_METRICS` is `true`.
pub fn init() -> Result<(), config::Error> {
    let by_route = config::or_default(config::ROUTE_METRICS, false)?;
    let Some(namespace) = config::optional(config::METRICS_NAMESPACE) else { return Ok(()) };
    match Builder::new().cloudwatch_namespace(namespace).init() {
        Ok(collector) => {
            let _ = COLLECTOR.set(collector);
            let _ = BY_ROUTE.set(by_route);
            describe();
        }
        Err(error) => warn!(%error, "nothing is counted"),
    }
    Ok(())
}

fn describe() {
    for count in Count::ALL {
        describe_counter!(count.name(), Unit::Count, "");
    }
    describe_counter!(REQUESTS, Unit::Count, "");
    describe_counter!(SERVER_ERRORS, Unit::Count, "");
    describe_histogram!(LATENCY, Unit::Milliseconds, "");
    describe_histogram!(Level::ReconciliationMismatches.name(), Unit::Count, "");
    describe_histogram!(Level::OutboxAge.name(), Unit::Seconds, "");
    describe_histogram!(Level::MessagesAge.name(), Unit::Seconds, "");
}

pub fn count(what: Count) {
    counter!(what.name()).increment(1);
}

/// Records the present value of a gauge.
#[expect(clippy::cast_precision_loss, reason = "CloudWatch keeps floats")]
pub fn level(what: Level, value: i64) {
    histogram!(what.name()).record(value as f64);
}

/// Counts an answered request.
pub(crate) fn request(method: &str, route: &str, status: u16, latency: Duration) {
    let milliseconds = latency.div_duration_f64(Duration::from_millis(1));
    let failed = status >= 500;
    counter!(REQUESTS).increment(1);
    histogram!(LATENCY).record(milliseconds);
    if failed {
        counter!(SERVER_ERRORS).increment(1);
    }
    if BY_ROUTE.get() == Some(&true) {
        let route = format!("{method} {route}");
        counter!(REQUESTS, ROUTE => route.clone()).increment(1);
        histogram!(LATENCY, ROUTE => route.clone()).record(milliseconds);
        if failed {
            counter!(SERVER_ERRORS, ROUTE => route).increment(1);
        }
    }
}

/// Writes what was counted since the last call. Call it when an invocation ends: then the environment is frozen.
pub fn flush() {
    let Some(collector) = COLLECTOR.get() else { return };
    let mut lines = Vec::new();
    // In one write, so that no log line comes between.
    let written = collector.flush(&mut lines).and_then(|()| io::stdout().lock().write_all(&lines));
    if let Err(error) = written {
        warn!(%error, "metrics were not written");
    }
}

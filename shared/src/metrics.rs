//! Metrics for CloudWatch: one line per invocation in its embedded metric format, which needs no API call.
//!
//! Metrics are counted in memory, anywhere. A request's log line carries them ([`request`]); [`flush`] writes those of an
//! invocation that is no request. Nothing is written where `METRICS_NAMESPACE` is not set.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

mod document;

use std::{
    cell::{Cell, RefCell},
    io::{self, Write},
    sync::OnceLock,
    time::Duration,
};

use tracing::warn;

use self::document::{Document, Unit};
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

impl Level {
    const fn unit(self) -> Unit {
        match self {
            Self::ReconciliationMismatches => Unit::Count,
            Self::OutboxAge | Self::MessagesAge => Unit::Seconds,
        }
    }
}

/// Where and how metrics are written.
struct Output {
    namespace: String,
    /// Whether requests are counted by route too: CloudWatch charges for each route's metrics.
    is_by_route: bool,
}

static OUTPUT: OnceLock<Output> = OnceLock::new();

/// What was counted since the last line.
#[derive(Default)]
struct Counted {
    counts: [Cell<u64>; Count::ALL.len()],
    levels: RefCell<Vec<(Level, i64)>>,
}

thread_local! {
    // A function has one thread; each test has one too, and counts for itself.
    static COUNTED: Counted = Counted::default();
}

/// Reads `METRICS_NAMESPACE`: without it nothing is written. Requests are counted by route too if `ROUTE_METRICS` is `true`.
pub fn init() -> Result<(), config::Error> {
    let is_by_route = config::or_default(config::ROUTE_METRICS, false)?;
    if let Some(namespace) = config::optional(config::METRICS_NAMESPACE) {
        let _ = OUTPUT.set(Output { namespace, is_by_route });
    }
    Ok(())
}

pub fn count(what: Count) {
    COUNTED.with(|counted| {
        if let Some(count) = counted.counts.get(what as usize) {
            count.set(count.get() + 1);
        }
    });
}

/// Records the present value of a gauge.
pub fn level(what: Level, value: i64) {
    COUNTED.with(|counted| counted.levels.borrow_mut().push((what, value)));
}

/// How often something was counted on this thread since the last line.
pub fn counted(what: Count) -> u64 {
    COUNTED.with(|counted| counted.counts.get(what as usize).map_or(0, Cell::get))
}

/// The values of a gauge that were recorded on this thread since the last line.
pub fn levels(what: Level) -> Vec<i64> {
    COUNTED.with(|counted| {
        counted.levels.borrow().iter().filter(|(level, _)| *level == what).map(|(_, value)| *value).collect()
    })
}

/// Counts an answered request, and returns the members of the object that its log line is, for all that was counted since the
/// last line. `None` where metrics are not written.
pub(crate) fn request(method: &str, route: &str, status: u16, latency: Duration) -> Option<String> {
    let output = OUTPUT.get()?;
    let mut document = Document::default();
    let microseconds = latency.as_micros();
    document.metric(REQUESTS, Unit::Count, 1);
    document.metric(LATENCY, Unit::Milliseconds, format_args!("{}.{:03}", microseconds / 1000, microseconds % 1000));
    if status >= 500 {
        document.metric(SERVER_ERRORS, Unit::Count, 1);
    }
    if output.is_by_route {
        document.repeat_by(ROUTE, &format!("{method} {route}"));
    }
    take(&mut document);
    Some(document.members(&output.namespace))
}

/// Writes what was counted since the last line. Call it when an invocation ends: then the environment is frozen.
pub fn flush() {
    let Some(output) = OUTPUT.get() else { return };
    let mut document = Document::default();
    take(&mut document);
    if !document.is_empty() {
        write(&document.members(&output.namespace));
    }
}

/// Writes the members as a line of their own.
pub(crate) fn write(members: &str) {
    // In one write, so that no log line comes between.
    if let Err(error) = io::stdout().lock().write_all(format!("{{{members}}}\n").as_bytes()) {
        warn!(%error, "metrics were not written");
    }
}

/// Moves what was counted into the document.
fn take(document: &mut Document) {
    COUNTED.with(|counted| {
        for (count, what) in counted.counts.iter().zip(Count::ALL) {
            match count.take() {
                0 => {}
                times => document.metric(what.name(), Unit::Count, times),
            }
        }
        for (what, value) in counted.levels.take() {
            document.metric(what.name(), what.unit(), value);
        }
    });
}

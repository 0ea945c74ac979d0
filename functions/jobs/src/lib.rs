//! Scheduled jobs: reconcile payments, deliver the outbox, delete expired rows.
//!
//! Each job may run twice at once, be killed at any point and be late. A claim is a lease: it sets the time at which
//! the work is due again, so that a later run takes over the work of a killed one.

mod compare_settlements;
mod deliver_outbox;
mod reconcile_payments;
mod runs;
mod sweep;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shared::{
    database::Database,
    metrics::{self, Count, Level},
    razorpay::Razorpay,
};

pub use compare_settlements::Compared;
pub use deliver_outbox::Delivered;
pub use reconcile_payments::Reconciled;
pub use sweep::Swept;

/// A run starts no more work after this time. Work in progress then ends well before the function's own timeout.
const TIME: Duration = Duration::from_mins(3);

/// The job to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Event {
    /// `{"action": "reconcile_payments"}`: asks Razorpay for missed payments and refunds, and reports mismatches.
    ReconcilePayments,
    /// `{"action": "deliver_outbox"}`: sends the messages that are due.
    DeliverOutbox,
    /// `{"action": "compare_settlements"}`: compares the money of each day with Razorpay's settlement report.
    CompareSettlements,
    /// `{"action": "sweep"}`: deletes expired rows.
    Sweep,
}

/// The result of a job.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Outcome {
    ReconcilePayments(Reconciled),
    DeliverOutbox(Delivered),
    CompareSettlements(Compared),
    Sweep(Swept),
}

/// What the function needs.
#[derive(Clone, Debug)]
pub struct App {
    pub database: Database,
    /// Asked while it has a key, whether new orders are taken or not.
    pub razorpay: Option<Razorpay>,
}

impl App {
    /// Razorpay's client, if it has a key. An error while the secret with the key is unread.
    fn razorpay(&self) -> shared::Result<Option<&Razorpay>> {
        match &self.razorpay {
            Some(razorpay) if razorpay.has_key()? => Ok(Some(razorpay)),
            _ => Ok(None),
        }
    }

    /// Runs the job. Every event is safe to repeat.
    pub async fn handle(&self, event: Event) -> shared::Result<Outcome> {
        self.handle_until(event, Instant::now() + TIME).await
    }

    /// Runs the job, but starts no more long work after `end`.
    pub async fn handle_until(&self, event: Event, end: Instant) -> shared::Result<Outcome> {
        let begun = self.begin_run(event).await;
        let done = match event {
            Event::ReconcilePayments => self.reconcile_payments(end).await.map(Outcome::ReconcilePayments),
            Event::DeliverOutbox => self.deliver_outbox(end).await.map(Outcome::DeliverOutbox),
            Event::CompareSettlements => self.compare_settlements(end).await.map(Outcome::CompareSettlements),
            Event::Sweep => self.sweep(end).await.map(Outcome::Sweep),
        };
        match &done {
            Ok(Outcome::ReconcilePayments(done)) => {
                metrics::level(Level::ReconciliationMismatches, done.mismatches());
            }
            Ok(Outcome::DeliverOutbox(done)) => metrics::level(Level::OutboxAge, done.oldest_seconds),
            Ok(Outcome::CompareSettlements(_) | Outcome::Sweep(_)) => {}
            Err(_) => metrics::count(Count::JobsFailed),
        }
        self.end_run(event, begun, &done).await;
        done
    }
}

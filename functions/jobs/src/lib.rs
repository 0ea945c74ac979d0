//! What is done on a schedule: money reconciled, the outbox delivered, what has expired swept away.
//!
//! Each may run twice at once, be killed anywhere and be late. Work is claimed for a while by setting the moment at which
//! it is due again, so that what a killed job had claimed is done by a later one.

mod deliver_outbox;
mod reconcile_payments;
mod sweep;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shared::{
    database::Database,
    metrics::{self, Count, Level},
    razorpay::Razorpay,
};

pub use deliver_outbox::Delivered;
pub use reconcile_payments::Reconciled;
pub use sweep::Swept;

/// A run begins nothing more after this long. What it has begun then ends well before the function's own limit.
const TIME: Duration = Duration::from_mins(3);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Event {
    /// `{"action": "reconcile_payments"}`: asks Razorpay for what may have been missed, and reports what does not match.
    ReconcilePayments,
    /// `{"action": "deliver_outbox"}`: sends what must reach the world.
    DeliverOutbox,
    /// `{"action": "sweep"}`: deletes what has expired.
    Sweep,
}

/// What was done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Outcome {
    /// Money was reconciled.
    ReconcilePayments(Reconciled),
    /// The outbox was delivered.
    DeliverOutbox(Delivered),
    /// What had expired is gone.
    Sweep(Swept),
}

/// What the function needs.
#[derive(Clone, Debug)]
pub struct App {
    /// Where everything is kept.
    pub database: Database,
    /// Where the money is, while online payments are enabled.
    pub razorpay: Option<Razorpay>,
}

impl App {
    /// Does what the event says. Every event is safe to repeat.
    pub async fn handle(&self, event: Event) -> shared::Result<Outcome> {
        self.handle_until(event, Instant::now() + TIME).await
    }

    /// The same, but begins nothing more that takes its time once it is this late.
    pub async fn handle_until(&self, event: Event, end: Instant) -> shared::Result<Outcome> {
        let done = match event {
            Event::ReconcilePayments => self.reconcile_payments(end).await.map(Outcome::ReconcilePayments),
            Event::DeliverOutbox => self.deliver_outbox(end).await.map(Outcome::DeliverOutbox),
            Event::Sweep => self.sweep(end).await.map(Outcome::Sweep),
        };
        match &done {
            Ok(Outcome::ReconcilePayments(done)) => {
                metrics::level(Level::ReconciliationMismatches, done.mismatches());
            }
            Ok(Outcome::DeliverOutbox(done)) => metrics::level(Level::OutboxAge, done.oldest_seconds),
            Ok(Outcome::Sweep(_)) => {}
            Err(_) => metrics::count(Count::JobsFailed),
        }
        done
    }
}

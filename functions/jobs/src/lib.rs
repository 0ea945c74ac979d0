//! Scheduled jobs: reconcile payments, deliver the outbox, delete expired rows.
//!
//! Each job may run twice at once, be killed at any point and be late. A claim is a lease: it sets the time at which
//! the work is due again, so that a later run takes over the work of a killed one.

mod compare_settlements;
mod deliver_outbox;
mod mail_event;
mod reconcile_payments;
mod remind;
mod runs;
mod send_messages;
mod sweep;

use std::time::{Duration, Instant};

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    Error,
    carriers::Carriers,
    database::Database,
    descope::Descope,
    messages::Plan,
    metrics::{self, Count, Level},
    razorpay::Razorpay,
    sign_in::Seals,
};
use tracing::error;

pub use compare_settlements::Compared;
pub use deliver_outbox::Delivered;
pub use reconcile_payments::Reconciled;
pub use remind::Reminded;
pub use send_messages::Sent;
pub use sweep::Swept;

/// A run starts no more work after this time. Work in progress then ends well before the function's own timeout.
const TIME: Duration = Duration::from_mins(3);
/// Work in progress is given up so long after that; still a minute before the function's timeout, so that the failure is
/// recorded and no query goes on in Postgres.
const GRACE: Duration = Duration::from_mins(1);
/// Timeout of recording a run.
const RECORDING: Duration = Duration::from_secs(10);
/// The longest statement of a job, instead of what requests are allowed.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);

/// The job to run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Event {
    /// `{"action": "reconcile_payments"}`: asks Razorpay for missed payments and refunds, and reports mismatches.
    ReconcilePayments,
    /// `{"action": "deliver_outbox"}`: sends refunds that are due, and writes the messages that people are to get.
    DeliverOutbox,
    /// `{"action": "send_messages"}`: sends the messages to people that are due.
    SendMessages,
    /// `{"action": "remind"}`: writes the reminders that are due.
    Remind,
    /// `{"action": "mail_event", "detail": {…}}`: applies what SES tells of a mail, as EventBridge hands it over.
    MailEvent { detail: Value },
    /// `{"action": "compare_settlements"}`: compares the money of each day with Razorpay's settlement report.
    CompareSettlements,
    /// `{"action": "sweep"}`: deletes expired rows, and does at Descope what could not be done there before.
    Sweep,
}

/// The result of a job.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Outcome {
    ReconcilePayments(Reconciled),
    DeliverOutbox(Delivered),
    SendMessages(Sent),
    Remind(Reminded),
    MailEvent,
    CompareSettlements(Compared),
    Sweep(Swept),
}

/// What the function needs.
#[derive(Clone, Debug)]
pub struct App {
    pub database: Database,
    /// Asked while it has a key, whether new orders are taken or not.
    pub razorpay: Option<Razorpay>,
    /// Set where people sign in by Descope.
    pub people: Option<People>,
    /// Without them no message to a person is made.
    pub carriers: Option<Carriers>,
    /// How messages are made; its channels are asked for in each run.
    pub plan: Plan,
}

/// What is needed to finish at Descope what was begun here.
#[derive(Clone, Debug)]
pub struct People {
    pub descope: Descope,
    /// Keys that seal refresh tokens.
    pub seals: Seals,
}

impl App {
    /// How messages are made, with the channels that are configured now.
    fn plan(&self) -> shared::Result<Plan> {
        self.carriers.as_ref().map_or_else(|| Ok(self.plan.clone()), |carriers| self.plan.with(carriers))
    }

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
        self.handle_within(event, end, end + GRACE).await
    }

    /// As [`Self::handle_until`], and gives up what is in progress at the deadline.
    pub async fn handle_within(&self, event: Event, end: Instant, deadline: Instant) -> shared::Result<Outcome> {
        let name = event.as_str();
        let begun = tokio::time::timeout(RECORDING, self.begin_run(&event)).await.ok().flatten();
        let mut work = Box::pin(self.work(&event, end));
        let done = tokio::time::timeout_at(deadline.into(), &mut work).await.unwrap_or(Err(Error::Deadline));
        match &done {
            Err(Error::Deadline) => {
                error!(job = name, "a job was given up at its deadline");
                // In this order, so that the job's connection returns to a closed pool.
                let given_up = self.database.renew();
                drop(work);
                given_up.close().await;
            }
            Err(Error::Database(failure)) => self.database.mend(failure),
            _ => {}
        }
        match &done {
            Ok(Outcome::ReconcilePayments(done)) => {
                metrics::level(Level::ReconciliationMismatches, done.mismatches());
            }
            Ok(Outcome::DeliverOutbox(done)) => metrics::level(Level::OutboxAge, done.oldest_seconds),
            Ok(Outcome::SendMessages(done)) => metrics::level(Level::MessagesAge, done.oldest_seconds),
            Ok(Outcome::CompareSettlements(_) | Outcome::Sweep(_) | Outcome::Remind(_) | Outcome::MailEvent) => {}
            Err(_) => metrics::count(Count::JobsFailed),
        }
        let _ = tokio::time::timeout(RECORDING, self.end_run(name, begun, &done)).await;
        done
    }

    async fn work(&self, event: &Event, end: Instant) -> shared::Result<Outcome> {
        match event {
            Event::ReconcilePayments => self.reconcile_payments(end).await.map(Outcome::ReconcilePayments),
            Event::DeliverOutbox => self.deliver_outbox(end).await.map(Outcome::DeliverOutbox),
            Event::SendMessages => self.send_messages(&Utc::now, end).await.map(Outcome::SendMessages),
            Event::Remind => self.remind(Utc::now(), end).await.map(Outcome::Remind),
            Event::MailEvent { detail } => self.mail_event(detail).await.map(|()| Outcome::MailEvent),
            Event::CompareSettlements => self.compare_settlements(end).await.map(Outcome::CompareSettlements),
            Event::Sweep => self.sweep(end).await.map(Outcome::Sweep),
        }
    }
}

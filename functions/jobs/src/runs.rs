//! The last run of each job, kept for the shop's people: when it ran, and what became of it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::Result;
use tracing::warn;

use crate::{App, Event, Outcome};

impl Event {
    /// The name in events and in the table.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::ReconcilePayments => "reconcile_payments",
            Self::DeliverOutbox => "deliver_outbox",
            Self::SendMessages => "send_messages",
            Self::Remind => "remind",
            Self::MailEvent { .. } => "mail_event",
            Self::CompareSettlements => "compare_settlements",
            Self::Sweep => "sweep",
        }
    }
}

impl App {
    /// Records that a job begins; `None` if that was not recorded, which stops no job.
    pub(crate) async fn begin_run(&self, event: &Event) -> Option<DateTime<Utc>> {
        let begun = sqlx::query_scalar!(
            "
            insert into job_runs (job, started_at) values ($1, clock_timestamp())
            on conflict (job) do update set started_at = excluded.started_at, ended_at = null, outcome = null, error = null
            returning started_at
            ",
            event.as_str()
        )
        .fetch_one(&self.database.pool())
        .await;
        begun.inspect_err(|error| warn!(%error, "the run of a job was not recorded")).ok()
    }

    /// Records what became of a run. One that began later has the row by then, and keeps it.
    pub(crate) async fn end_run(&self, job: &str, begun: Option<DateTime<Utc>>, done: &Result<Outcome>) {
        let Some(started_at) = begun else { return };
        let outcome: Option<Value> = done.as_ref().ok().and_then(|outcome| serde_json::to_value(outcome).ok());
        let failure = done.as_ref().err().map(ToString::to_string);
        let ended = sqlx::query!(
            "update job_runs set ended_at = clock_timestamp(), outcome = $3, error = $4 where job = $1 and started_at = $2",
            job,
            started_at,
            outcome,
            failure
        )
        .execute(&self.database.pool())
        .await;
        if let Err(error) = ended {
            warn!(%error, "the end of a job was not recorded");
        }
    }
}

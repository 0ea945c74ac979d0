//! What has expired is deleted, a little at a time.

use serde::Serialize;
use shared::Result;

use crate::App;

/// How many rows were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Answers that were kept for retries.
    pub idempotency_keys: u64,
    /// Hashes of tokens that have expired by themselves.
    pub session_tokens: u64,
    /// Sessions that ended a month ago.
    pub user_sessions: u64,
    /// Events of Razorpay that cannot come again.
    pub payment_events: u64,
}

impl App {
    /// Deletes what nobody will ask for again. Two sweeps at once take different rows or wait for each other.
    pub(crate) async fn sweep(&self) -> Result<Swept> {
        let pool = self.database.pool();
        let idempotency_keys = sqlx::query!(
            "delete from idempotency_keys where ctid in (
                select ctid from idempotency_keys where expires_at < now() limit 10000 for update skip locked
            )"
        )
        .execute(&pool)
        .await?
        .rows_affected();
        let session_tokens = sqlx::query!(
            "delete from session_tokens where ctid in (
                select ctid from session_tokens where expires_at < now() - interval '1 hour' limit 10000
                for update skip locked
            )"
        )
        .execute(&pool)
        .await?
        .rows_affected();
        let user_sessions = sqlx::query!(
            "delete from user_sessions where ctid in (
                select ctid from user_sessions where expires_at < now() - interval '30 days' limit 10000
                for update skip locked
            )"
        )
        .execute(&pool)
        .await?
        .rows_affected();
        let payment_events = sqlx::query!(
            "delete from payment_events where ctid in (
                select ctid from payment_events where received_at < now() - interval '30 days' limit 10000
                for update skip locked
            )"
        )
        .execute(&pool)
        .await?
        .rows_affected();
        Ok(Swept { idempotency_keys, session_tokens, user_sessions, payment_events })
    }
}

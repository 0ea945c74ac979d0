//! What has expired is deleted, a little at a time.

use std::time::Instant;

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
    /// Messages that were delivered a month ago. One that was given up stays until a person has dealt with it.
    pub outbox: u64,
}

/// Deletes the rows of a table for which something holds, and counts them. Two sweeps at once take different rows or wait
/// for each other.
macro_rules! delete {
    ($table:literal where $condition:literal, $pool:expr, $end:expr) => {{
        let mut deleted = 0;
        loop {
            let some = sqlx::query!(
                "delete from "
                    + $table
                    + " where ctid in (select ctid from "
                    + $table
                    + " where "
                    + $condition
                    + " limit 10000 for update skip locked)"
            )
            .execute($pool)
            .await?
            .rows_affected();
            deleted += some;
            if some < 10_000 || Instant::now() >= $end {
                break deleted;
            }
        }
    }};
}

impl App {
    /// Deletes what nobody will ask for again.
    pub(crate) async fn sweep(&self, end: Instant) -> Result<Swept> {
        let pool = &self.database.pool();
        Ok(Swept {
            idempotency_keys: delete!("idempotency_keys" where "expires_at < now()", pool, end),
            session_tokens: delete!("session_tokens" where "expires_at < now() - interval '1 hour'", pool, end),
            user_sessions: delete!("user_sessions" where "expires_at < now() - interval '30 days'", pool, end),
            payment_events: delete!("payment_events" where "received_at < now() - interval '30 days'", pool, end),
            outbox: delete!("outbox" where "delivered_at < now() - interval '30 days'", pool, end),
        })
    }
}

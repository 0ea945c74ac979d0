//! Deletion of expired rows, in batches.

use std::time::Instant;

use serde::Serialize;
use shared::Result;

use crate::App;

/// Deleted rows, by table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Expired answers for retries.
    pub idempotency_keys: u64,
    /// Hashes of expired tokens.
    pub session_tokens: u64,
    /// Sessions that expired a month ago.
    pub user_sessions: u64,
    /// Sessions of the panel that are longer than they can be used.
    pub panel_sessions: u64,
    /// Razorpay events that are too old to be delivered again.
    pub payment_events: u64,
    /// Messages that were delivered a month ago. A message that was given up stays until a person has dealt with it.
    pub outbox: u64,
}

/// Deletes and counts the rows of a table that match a condition, in batches. Concurrent sweeps delete different rows
/// or wait for each other.
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
    /// Deletes expired rows. After `end` no second batch of a table begins.
    pub(crate) async fn sweep(&self, end: Instant) -> Result<Swept> {
        let pool = &self.database.pool();
        Ok(Swept {
            idempotency_keys: delete!("idempotency_keys" where "expires_at < now()", pool, end),
            session_tokens: delete!("session_tokens" where "expires_at < now() - interval '1 hour'", pool, end),
            user_sessions: delete!("user_sessions" where "expires_at < now() - interval '30 days'", pool, end),
            panel_sessions: delete!("panel_sessions" where "created_at < now() - interval '1 day'", pool, end),
            payment_events: delete!("payment_events" where "received_at < now() - interval '30 days'", pool, end),
            outbox: delete!("outbox" where "delivered_at < now() - interval '30 days'", pool, end),
        })
    }
}

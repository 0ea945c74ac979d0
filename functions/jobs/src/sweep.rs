//! Deletion of expired rows, in batches, and what was begun here and remains to be done at Descope.

use std::time::Instant;

use serde::Serialize;
use shared::{
    Result,
    sign_in::{proof::replacements, sessions},
};
use tracing::warn;

use crate::{App, People};

/// Deleted rows, by table, and what was done at Descope.
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
    /// Hashes of addresses that unproved bookings came from, a month ago.
    pub booking_addresses: u64,
    /// Messages that were delivered a month ago. A message that was given up stays until a person has dealt with it.
    pub outbox: u64,
    /// Messages to people that were written a year ago.
    pub messages: u64,
    /// Links whose booking's access token ended three months ago.
    pub booking_links: u64,
    /// Sessions revoked while Descope was away, ended there now.
    pub sessions_ended: u64,
    /// Replacements of Descope users that were cut short, finished now.
    pub replacements_finished: u64,
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
        let (sessions_ended, replacements_finished) = match &self.people {
            Some(people) => self.finish_at_descope(people, end).await,
            None => (0, 0),
        };
        Ok(Swept {
            sessions_ended,
            replacements_finished,
            idempotency_keys: delete!("idempotency_keys" where "expires_at < now()", pool, end),
            session_tokens: delete!("session_tokens" where "expires_at < now() - interval '1 hour'", pool, end),
            user_sessions: delete!("user_sessions" where "expires_at < now() - interval '30 days'", pool, end),
            panel_sessions: delete!("panel_sessions" where "created_at < now() - interval '1 day'", pool, end),
            payment_events: delete!("payment_events" where "received_at < now() - interval '30 days'", pool, end),
            booking_addresses: delete!("booking_addresses" where "created_at < now() - interval '30 days'", pool, end),
            outbox: delete!("outbox" where "delivered_at < now() - interval '30 days'", pool, end),
            messages: delete!("messages" where "created_at < now() - interval '1 year'", pool, end),
            booking_links: delete!(
                "booking_links" where "exists (
                    select from bookings where bookings.id = booking_links.booking_id
                        and bookings.access_token_expires_at < now() - interval '90 days'
                )",
                pool,
                end
            ),
        })
    }

    /// Ends revoked sessions and finishes replacements. Its failures stop no deletion.
    async fn finish_at_descope(&self, people: &People, end: Instant) -> (u64, u64) {
        let People { descope, seals } = people;
        let ended = sessions::end_revoked_before(&self.database, descope, seals, end).await;
        let finished = replacements::finish(&self.database, descope, end).await;
        let or_none = |done: Result<u64>| {
            done.unwrap_or_else(|error| {
                warn!(%error, "work at Descope goes on in the next run");
                0
            })
        };
        (or_none(ended), or_none(finished))
    }
}

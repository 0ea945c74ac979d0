//! What was written in the transaction of its cause reaches the world: refunds; messages to people are only logged yet.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    Error, Result, payments,
    razorpay::{Failure, Razorpay, Refund},
};
use tracing::{error, info, warn};

use crate::App;

/// After so many attempts, with pauses that grow to an hour, a message is given up: about a week.
const ATTEMPTS: i32 = 170;

/// What came of the messages that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// They are done.
    pub delivered: usize,
    /// They are tried again later.
    pub postponed: usize,
    /// Somebody must look at them.
    pub failed: usize,
    /// For how many seconds the oldest message waits that is still to be delivered; 0 if there is none.
    pub oldest_seconds: i64,
}

/// What became of one message.
enum Fate {
    Delivered,
    Postponed,
    Failed,
}

#[derive(Deserialize)]
struct RefundMessage {
    refund_id: i64,
}

impl App {
    /// Takes the messages that are due, one by one. Whoever takes one has it until it is due again.
    pub(crate) async fn deliver_outbox(&self, end: Instant) -> Result<Delivered> {
        let pool = self.database.pool();
        let mut delivered = Delivered::default();
        while Instant::now() < end {
            // Beyond an hour the power would only grow out of range.
            let due = sqlx::query!(
                "
                update outbox set
                    attempts = attempts + 1,
                    due_at = now() + least(interval '30 seconds' * power(2, least(attempts, 7)), interval '1 hour')
                where id = (
                    select id from outbox
                    where delivered_at is null and failed_at is null and due_at <= now()
                    order by due_at limit 1 for update skip locked
                )
                returning id, kind, payload, attempts
                "
            )
            .fetch_optional(&pool)
            .await?;
            let Some(message) = due else { break };
            let fate = self.deliver(&message.kind, message.payload, message.attempts > 1).await;
            let fate = fate.unwrap_or_else(|error| {
                warn!(%error, message.id, message.kind, "a message was not delivered");
                Fate::Postponed
            });
            let is_last = message.attempts >= ATTEMPTS;
            match fate {
                Fate::Postponed if !is_last => delivered.postponed += 1,
                Fate::Delivered => {
                    delivered.delivered += 1;
                    sqlx::query!("update outbox set delivered_at = now() where id = $1", message.id)
                        .execute(&pool)
                        .await?;
                }
                Fate::Postponed | Fate::Failed => {
                    error!(message.id, message.kind, message.attempts, "a message is given up");
                    delivered.failed += 1;
                    sqlx::query!("update outbox set failed_at = now() where id = $1", message.id)
                        .execute(&pool)
                        .await?;
                }
            }
        }
        delivered.oldest_seconds = sqlx::query_scalar!(
            r#"
            select coalesce(extract(epoch from now() - min(created_at)), 0)::bigint as "seconds!" from outbox
            where delivered_at is null and failed_at is null
            "#
        )
        .fetch_one(&pool)
        .await?;
        Ok(delivered)
    }

    async fn deliver(&self, kind: &str, payload: Value, was_tried: bool) -> Result<Fate> {
        match kind {
            "refund" => {
                let message: RefundMessage = serde_json::from_value(payload).map_err(Error::internal)?;
                match &self.razorpay {
                    Some(razorpay) => self.refund(razorpay, message.refund_id, was_tried).await,
                    // Payments were switched off with money still to go back.
                    None => Ok(Fate::Postponed),
                }
            }
            notification => {
                // The door for messages to people: nobody sends them yet.
                info!(notification, "notification");
                Ok(Fate::Delivered)
            }
        }
    }

    async fn refund(&self, razorpay: &Razorpay, id: i64, was_tried: bool) -> Result<Fate> {
        let wanted = sqlx::query!(
            r#"
            select refund.idempotency_key, refund.amount_paise, refund.state::text as "state!",
                capture.gateway_payment_id as "payment_id!"
            from refunds refund join captures capture on capture.id = refund.capture_id
            where refund.id = $1
            "#,
            id
        )
        .fetch_one(&self.database.pool())
        .await?;
        if wanted.state != "queued" {
            return Ok(Fate::Delivered);
        }
        let key = &wanted.idempotency_key;
        if was_tried && self.has_refund(razorpay, &wanted.payment_id, key).await? {
            // The answer was lost, and nobody promises for how long Razorpay remembers the key.
            return Ok(Fate::Delivered);
        }
        match razorpay.refund(&wanted.payment_id, wanted.amount_paise, key).await {
            Ok(refund) => {
                self.record(&[Refund { receipt: Some(key.clone()), ..refund }]).await?;
                Ok(Fate::Delivered)
            }
            Err(Failure::Unknown(error)) => Err(error),
            // It may have been done before, or somebody else may have given the money back.
            Err(Failure::Refused { .. }) if self.has_refund(razorpay, &wanted.payment_id, key).await? => {
                Ok(Fate::Delivered)
            }
            // Another request with this key is being worked on.
            Err(Failure::Refused { status: 409, .. }) => Ok(Fate::Postponed),
            Err(Failure::Refused { status, reason, .. }) => {
                error!(refund.id = id, status, reason, "Razorpay refuses a refund");
                let mut transaction = self.database.begin().await?;
                payments::give_up(&mut transaction, id).await?;
                transaction.commit().await?;
                Ok(Fate::Failed)
            }
        }
    }

    /// Learns all that Razorpay knows of the refunds of a payment; whether one of them is ours by this key.
    async fn has_refund(&self, razorpay: &Razorpay, payment_id: &str, key: &str) -> Result<bool> {
        let refunds = razorpay.refunds_of(payment_id).await?;
        self.record(&refunds).await?;
        Ok(refunds.iter().any(|refund| refund.receipt.as_deref() == Some(key)))
    }

    async fn record(&self, refunds: &[Refund]) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        for refund in refunds {
            payments::record(&mut transaction, refund).await?;
        }
        Ok(transaction.commit().await?)
    }
}

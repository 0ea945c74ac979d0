//! What was written in the transaction of its cause reaches the world: refunds; messages to people are only logged yet.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    Error, Result, payments,
    razorpay::{Failure, Razorpay, Refund},
};
use tracing::{error, info, warn};

use crate::App;

/// How many messages one run takes.
const BATCH: i64 = 20;
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
    /// Takes the messages that are due. Whoever takes one has it until it is due again.
    pub(crate) async fn deliver_outbox(&self) -> Result<Delivered> {
        let pool = self.database.pool();
        let due = sqlx::query!(
            "
            update outbox set
                attempts = attempts + 1, due_at = now() + least(interval '30 seconds' * power(2, attempts), interval '1 hour')
            where id in (
                select id from outbox
                where delivered_at is null and failed_at is null and due_at <= now()
                order by due_at limit $1 for update skip locked
            )
            returning id, kind, payload, attempts
            ",
            BATCH
        )
        .fetch_all(&pool)
        .await?;
        let mut delivered = Delivered::default();
        for message in due {
            let fate = self.deliver(&message.kind, message.payload).await;
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

    async fn deliver(&self, kind: &str, payload: Value) -> Result<Fate> {
        match kind {
            "refund" => {
                let message: RefundMessage = serde_json::from_value(payload).map_err(Error::internal)?;
                match &self.razorpay {
                    Some(razorpay) => self.refund(razorpay, message.refund_id).await,
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

    async fn refund(&self, razorpay: &Razorpay, id: i64) -> Result<Fate> {
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
        match razorpay.refund(&wanted.payment_id, wanted.amount_paise, key).await {
            Ok(refund) => self.record(&refund, key).await,
            Err(Failure::Unknown(error)) => Err(error),
            Err(Failure::Refused { status, reason, .. }) => {
                // It may have been done before: an answer was lost, or the key has been forgotten.
                let refunds = razorpay.refunds_of(&wanted.payment_id).await?;
                match refunds.into_iter().find(|refund| refund.receipt.as_ref() == Some(key)) {
                    Some(refund) => self.record(&refund, key).await,
                    // Another request with this key is being worked on.
                    None if status == 409 => Ok(Fate::Postponed),
                    None => {
                        error!(refund.id = id, status, reason, "Razorpay refuses a refund");
                        let mut transaction = self.database.begin().await?;
                        payments::give_up(&mut transaction, id).await?;
                        transaction.commit().await?;
                        Ok(Fate::Failed)
                    }
                }
            }
        }
    }

    async fn record(&self, refund: &Refund, key: &str) -> Result<Fate> {
        let mut transaction = self.database.begin().await?;
        let refund = Refund { receipt: Some(key.to_owned()), ..refund.clone() };
        payments::record(&mut transaction, &refund).await?;
        transaction.commit().await?;
        Ok(Fate::Delivered)
    }
}

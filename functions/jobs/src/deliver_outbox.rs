//! What was written in the transaction of its cause reaches the world: refunds; messages to people are only logged yet.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    Error, Result,
    ids::RefundId,
    outbox::{self, Message},
    payments::{refunds, states::RefundState},
    razorpay::{Failure, Razorpay, Refund},
};
use sqlx::PgConnection;
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
    refund_id: RefundId,
}

impl App {
    /// Takes the messages that are due, one by one. Whoever takes one has it until it is due again.
    pub(crate) async fn deliver_outbox(&self, end: Instant) -> Result<Delivered> {
        let pool = self.database.pool();
        let mut delivered = Delivered::default();
        while let Some(due) = if Instant::now() < end { outbox::claim(&pool).await? } else { None } {
            let fate = self.deliver(due.message, due.payload, due.attempts > 1).await;
            let fate = fate.unwrap_or_else(|error| {
                warn!(%error, message.id = due.id.0, message.kind = ?due.message, "a message was not delivered");
                Fate::Postponed
            });
            let is_last = due.attempts >= ATTEMPTS;
            match fate {
                Fate::Postponed if !is_last => delivered.postponed += 1,
                Fate::Delivered => {
                    delivered.delivered += 1;
                    outbox::deliver(&pool, due.id).await?;
                }
                Fate::Postponed | Fate::Failed => {
                    error!(message.id = due.id.0, message.kind = ?due.message, due.attempts, "a message is given up");
                    delivered.failed += 1;
                    outbox::give_up(&pool, due.id).await?;
                }
            }
        }
        delivered.oldest_seconds = outbox::oldest_seconds(&pool).await?;
        Ok(delivered)
    }

    async fn deliver(&self, message: Message, payload: Value, was_tried: bool) -> Result<Fate> {
        match message {
            Message::Refund => {
                let RefundMessage { refund_id } = serde_json::from_value(payload).map_err(Error::internal)?;
                match &self.razorpay {
                    Some(razorpay) => self.refund(razorpay, refund_id, was_tried).await,
                    // Payments were switched off with money still to go back.
                    None => Ok(Fate::Postponed),
                }
            }
            notification => {
                // The door for messages to people: nobody sends them yet.
                info!(?notification, "notification");
                Ok(Fate::Delivered)
            }
        }
    }

    async fn refund(&self, razorpay: &Razorpay, id: RefundId, was_tried: bool) -> Result<Fate> {
        let wanted = refunds::find(&self.database.pool(), id).await?;
        if wanted.state != RefundState::Queued {
            return Ok(Fate::Delivered);
        }
        let key = &wanted.idempotency_key;
        if was_tried && self.has_refund(razorpay, &wanted.gateway_payment_id, key).await? {
            // The answer was lost, and nobody promises for how long Razorpay remembers the key.
            return Ok(Fate::Delivered);
        }
        match razorpay.refund(&wanted.gateway_payment_id, wanted.amount_paise, key).await {
            Ok(refund) => {
                self.record(&[Refund { receipt: Some(key.clone()), ..refund }]).await?;
                Ok(Fate::Delivered)
            }
            Err(Failure::Unknown(error)) => Err(error),
            // It may have been done before, or somebody else may have given the money back.
            Err(Failure::Refused { .. }) if self.has_refund(razorpay, &wanted.gateway_payment_id, key).await? => {
                Ok(Fate::Delivered)
            }
            // Another request with this key is being worked on.
            Err(Failure::Refused { status: 409, .. }) => Ok(Fate::Postponed),
            Err(Failure::Refused { status, reason, .. }) => {
                error!(refund.id = id.0, status, reason, "Razorpay refuses a refund");
                let give_up = async |connection: &mut PgConnection| refunds::give_up(connection, id).await;
                self.database.transaction(give_up).await?;
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
        let record = async |connection: &mut PgConnection| {
            for refund in refunds {
                refunds::record(connection, refund).await?;
            }
            Ok(())
        };
        self.database.transaction(record).await
    }
}

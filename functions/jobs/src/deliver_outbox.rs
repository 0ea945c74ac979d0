//! Outbox delivery: sends queued refunds to Razorpay, and writes the messages that people are to get.

use std::time::Instant;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use shared::{
    Error, Result,
    ids::RefundId,
    messages,
    metrics::{self, Count},
    outbox::{self, Due, Message},
    payments::{
        refunds::{self, LEAST_ONLINE_PAISE, Queued},
        states::RefundState,
    },
    razorpay::{Failure, Razorpay, Refund},
};
use sqlx::PgConnection;
use tracing::{error, warn};

use crate::App;

/// A notification is given up after this many attempts: about a week, with pauses that grow to an hour. A refund never is:
/// people see it, and money goes back once Razorpay takes it.
const ATTEMPTS: i32 = 170;

/// Messages that were due, by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    pub delivered: usize,
    /// To be retried later.
    pub postponed: usize,
    /// A person must look at them.
    pub failed: usize,
    /// The age of the oldest undelivered message; 0 if there is none.
    pub oldest_seconds: i64,
}

/// The result for one message.
enum Fate {
    Delivered,
    /// Delivered, and marked so.
    Written,
    Postponed,
    Failed,
}

#[derive(Deserialize)]
struct RefundMessage {
    refund_id: RefundId,
}

impl App {
    /// Delivers the due messages one by one. A claim is a lease until the message is due again. Then asks Razorpay for
    /// the orders that a person wants to be asked for.
    pub(crate) async fn deliver_outbox(&self, end: Instant) -> Result<Delivered> {
        let pool = self.database.pool();
        let mut delivered = Delivered::default();
        while let Some(due) = if Instant::now() < end { outbox::claim(&pool).await? } else { None } {
            let fate = self.deliver(&due).await;
            let fate = fate.unwrap_or_else(|error| {
                warn!(%error, message.id = due.id.0, message.kind = ?due.message, "a message was not delivered");
                Fate::Postponed
            });
            let is_last = due.attempts >= ATTEMPTS && due.message != Message::Refund;
            match fate {
                Fate::Postponed if !is_last => delivered.postponed += 1,
                Fate::Delivered => {
                    delivered.delivered += 1;
                    outbox::deliver(&pool, due.id).await?;
                }
                Fate::Written => delivered.delivered += 1,
                Fate::Postponed | Fate::Failed => {
                    error!(message.id = due.id.0, message.kind = ?due.message, due.attempts, "a message is given up");
                    delivered.failed += 1;
                    outbox::give_up(&pool, due.id).await?;
                }
            }
        }
        self.ask_as_told(end).await?;
        delivered.oldest_seconds = outbox::oldest_seconds(&pool).await?;
        Ok(delivered)
    }

    async fn deliver(&self, due: &Due) -> Result<Fate> {
        if due.message != Message::Refund {
            return self.write_messages(due).await;
        }
        let RefundMessage { refund_id } = serde_json::from_value(due.payload.clone()).map_err(Error::internal)?;
        match self.razorpay()? {
            Some(razorpay) => self.refund(razorpay, refund_id, due.attempts > 1).await,
            // The keys were removed while refunds were queued.
            None => Ok(Fate::Postponed),
        }
    }

    /// Writes messages to people, in one transaction with the delivery of what asks for them.
    async fn write_messages(&self, due: &Due) -> Result<Fate> {
        let plan = self.plan()?;
        let write = async |connection: &mut PgConnection| {
            if outbox::lock(&mut *connection, due.id).await? {
                messages::write(&mut *connection, due, &plan, Utc::now()).await?;
                outbox::deliver(connection, due.id).await?;
            }
            Ok(Fate::Written)
        };
        self.database.transaction(write).await
    }

    async fn refund(&self, razorpay: &Razorpay, id: RefundId, was_tried: bool) -> Result<Fate> {
        let wanted = refunds::find(&self.database.pool(), id).await?;
        if wanted.state != RefundState::Queued {
            return Ok(Fate::Delivered);
        }
        let key = &wanted.idempotency_key;
        if wanted.amount_paise < LEAST_ONLINE_PAISE {
            // Of before such rests were written off, which ends it.
            self.give_up(id).await?;
            return Ok(Fate::Delivered);
        }
        if (was_tried || wanted.is_old) && self.has_refund(razorpay, &wanted.gateway_payment_id, key).await? {
            // The answer was lost, or the database was restored. Razorpay does not say for how long it remembers a key,
            // so the refund is not requested again.
            return Ok(Fate::Delivered);
        }
        match razorpay.refund(&wanted.gateway_payment_id, wanted.amount_paise, key).await {
            Ok(refund) => {
                self.record(&[Refund { receipt: Some(key.clone()), ..refund }]).await?;
                Ok(Fate::Delivered)
            }
            Err(Failure::Unknown(error)) => Err(error),
            // An earlier attempt may have made the refund, or the money was refunded elsewhere.
            Err(Failure::Refused { .. }) if self.has_refund(razorpay, &wanted.gateway_payment_id, key).await? => {
                Ok(Fate::Delivered)
            }
            // Another request with this key is in progress.
            Err(Failure::Refused { status: 409, .. }) => Ok(Fate::Postponed),
            Err(Failure::Refused { status, reason, description }) => {
                error!(refund.id = id.0, status, reason, "Razorpay refuses a refund");
                if is_too_old(&description) || self.is_too_much(razorpay, &wanted).await? {
                    return self.give_up(id).await;
                }
                // No balance, a wrong key, or what we do not understand: it may pass.
                metrics::count(Count::RefundsRefused);
                refunds::refuse(&self.database.pool(), id).await?;
                Ok(Fate::Postponed)
            }
        }
    }

    /// Whether Razorpay has less left of the payment than the refund wants, so that it can never be made.
    async fn is_too_much(&self, razorpay: &Razorpay, wanted: &Queued) -> Result<bool> {
        let payment = razorpay.payment(&wanted.gateway_payment_id).await?;
        let left = payment.amount - payment.amount_refunded.unwrap_or_default();
        Ok(payment.is_taken() && left < wanted.amount_paise)
    }

    async fn give_up(&self, id: RefundId) -> Result<Fate> {
        let give_up = async |connection: &mut PgConnection| refunds::give_up(connection, id).await;
        self.database.transaction(give_up).await?;
        Ok(Fate::Failed)
    }

    /// Records all refunds of a payment that Razorpay knows; whether one of them has this key.
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

/// Whether the bank supports no refund any more. Razorpay gives this refusal no code: source, step and reason are null.
fn is_too_old(description: &str) -> bool {
    description.contains("more than 6 months old")
}

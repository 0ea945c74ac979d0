//! Razorpay's entities: the fields that are used here. Amounts are in paise, timestamps in seconds since 1970. Unknown
//! values and fields are ignored, because Razorpay adds new ones.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An order: what a customer is asked to pay.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Order {
    /// `order_…`.
    pub id: String,
    /// In paise.
    pub amount: i64,
    /// `INR`.
    pub currency: String,
    /// The receipt number that we chose.
    pub receipt: Option<String>,
    /// `created`, `attempted` or `paid`.
    pub status: String,
}

/// An attempt to pay an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Payment {
    /// `pay_…`.
    pub id: String,
    /// In paise.
    pub amount: i64,
    /// `INR`.
    pub currency: String,
    /// The order that it pays.
    pub order_id: Option<String>,
    pub status: PaymentStatus,
    /// Whether a refunded payment had been captured. Unreliable in any other status.
    #[serde(default)]
    pub captured: Option<bool>,
    /// The amount that has been refunded or is being refunded, in paise.
    #[serde(default)]
    pub amount_refunded: Option<i64>,
    /// `upi`, `card`, `netbanking`, `wallet` …
    #[serde(default)]
    pub method: Option<String>,
    /// The bank's code, of net banking.
    #[serde(default)]
    pub bank: Option<String>,
    #[serde(default)]
    pub wallet: Option<String>,
    /// Of the card only its network: its number is never read.
    #[serde(default, rename = "card", deserialize_with = "network")]
    pub card_network: Option<String>,
    /// Razorpay's fee with its tax, in paise; null until the payment is captured.
    #[serde(default)]
    pub fee: Option<i64>,
    /// Why a payment failed, in a sentence.
    #[serde(default)]
    pub error_description: Option<String>,
    /// The same as a code, such as `payment_timed_out`.
    #[serde(default)]
    pub error_reason: Option<String>,
}

impl Payment {
    /// The bank, wallet or card network that was paid with.
    pub fn institution(&self) -> Option<&str> {
        [&self.bank, &self.wallet, &self.card_network].into_iter().find_map(|name| filled(name.as_deref()))
    }

    /// Why the payment failed. A payment that went on has no reason.
    pub fn failure(&self) -> Option<&str> {
        let reason = filled(self.error_description.as_deref()).or_else(|| filled(self.error_reason.as_deref()));
        reason.filter(|_| self.status == PaymentStatus::Failed)
    }

    /// Whether the payment was captured, even if it has been refunded since.
    pub fn is_taken(&self) -> bool {
        match self.status {
            PaymentStatus::Captured => true,
            PaymentStatus::Refunded => self.captured == Some(true),
            _ => false,
        }
    }
}

/// Razorpay sends empty texts where a value is missing.
fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The network of a card; `None` for any other value.
fn network<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let card = Value::deserialize(deserializer)?;
    Ok(card.get("network").and_then(Value::as_str).map(ToOwned::to_owned))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentStatus {
    Created,
    /// The bank has reserved the money.
    Authorized,
    /// The money has been taken.
    Captured,
    /// Captured and refunded, or authorized and released.
    Refunded,
    /// Declined by the bank. Not final: a late authorization may follow.
    Failed,
    /// A status that is not known here.
    #[serde(other)]
    Unknown,
}

/// A refund of a payment or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// `rfnd_…`.
    pub id: String,
    /// In paise.
    pub amount: i64,
    pub payment_id: String,
    pub status: RefundStatus,
    /// Our idempotency key, if we requested the refund.
    pub receipt: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundStatus {
    Pending,
    /// The money has arrived.
    Processed,
    /// The money did not arrive.
    Failed,
    /// A status that is not known here.
    #[serde(other)]
    Unknown,
}

/// The body of a webhook. All of its parts may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// `payment.captured`, `order.paid`, `refund.processed` …
    #[serde(default)]
    pub event: String,
    /// The entities of the event, as they were at its time.
    #[serde(default)]
    pub payload: Payload,
}

/// The entities of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Payload {
    pub payment: Option<Entity<Payment>>,
    pub refund: Option<Entity<Refund>>,
}

/// The wrapper of each entity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entity<T> {
    pub entity: T,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payment(more: &Value) -> Payment {
        let mut payment =
            json!({ "id": "pay_1", "amount": 100, "currency": "INR", "order_id": null, "status": "failed" });
        if let (Value::Object(payment), Value::Object(more)) = (&mut payment, more.clone()) {
            payment.extend(more);
        }
        serde_json::from_value(payment).unwrap()
    }

    #[test]
    fn the_institution_is_a_bank_a_wallet_or_the_network_of_a_card() {
        for (more, institution) in [
            (json!({ "bank": "HDFC", "wallet": null, "card": null }), Some("HDFC")),
            (json!({ "bank": "", "wallet": "mobikwik" }), Some("mobikwik")),
            (json!({ "card": { "network": "Visa", "last4": "1007" } }), Some("Visa")),
            (json!({ "card": [] }), None),
            (json!({ "card": {} }), None),
            (json!({}), None),
        ] {
            assert_eq!(payment(&more).institution(), institution, "{more}");
        }
    }

    #[test]
    fn a_failure_is_a_sentence_else_a_code_and_a_paid_payment_has_none() {
        let both = json!({ "error_description": "Payment failed", "error_reason": "payment_failed" });
        assert_eq!(payment(&both).failure(), Some("Payment failed"));
        let code = json!({ "error_description": "", "error_reason": "payment_failed" });
        assert_eq!(payment(&code).failure(), Some("payment_failed"));
        assert_eq!(payment(&json!({})).failure(), None);
        let late = json!({ "error_description": "Payment failed", "status": "captured" });
        assert_eq!(payment(&late).failure(), None);
    }
}

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
    /// Who bears the fee: `platform`, or `customer`, whose payment is then larger than the order by the fee.
    #[serde(default)]
    pub fee_bearer: Option<String>,
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

    /// Whether amount and currency are those of the order, or larger by the fee that the customer bears. Before the
    /// capture that fee is not known.
    pub fn fits(&self, amount_paise: i64, currency: &str) -> bool {
        let is_larger_by_fee = || {
            let is_fee = |fee| amount_paise.checked_add(fee) == Some(self.amount);
            self.fee_bearer.as_deref() == Some("customer")
                && self.amount > amount_paise
                && self.fee.map_or(self.status == PaymentStatus::Authorized, is_fee)
        };
        self.currency == currency && (self.amount == amount_paise || is_larger_by_fee())
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

impl RefundStatus {
    /// Razorpay's name of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processed => "processed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// A customer's bank wants a payment back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Dispute {
    /// `disp_…`.
    pub id: String,
    pub payment_id: String,
    /// In paise.
    pub amount: i64,
    #[serde(default)]
    pub currency: Option<String>,
    /// What Razorpay has taken from the balance for it, in paise.
    #[serde(default)]
    pub amount_deducted: Option<i64>,
    #[serde(default)]
    pub reason_code: Option<String>,
    /// `chargeback`, `fraud` …
    #[serde(default)]
    pub phase: Option<String>,
    /// `open`, `under_review`, `won`, `lost`, `closed` …
    pub status: String,
    /// The deadline for an answer.
    #[serde(default)]
    pub respond_by: Option<i64>,
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
    fn a_larger_amount_fits_if_the_customer_bears_exactly_the_fee() {
        let paid = |amount: i64, fee: Value, bearer: &str, status: &str| {
            let more = json!({ "amount": amount, "fee": fee, "fee_bearer": bearer, "status": status });
            payment(&more).fits(75_010, "INR")
        };
        assert!(paid(75_010, json!(1770), "platform", "captured"));
        assert!(paid(76_780, json!(1770), "customer", "captured"));
        assert!(paid(76_780, Value::Null, "customer", "authorized"), "the fee comes with the capture");
        assert!(!paid(76_780, json!(1770), "platform", "captured"));
        assert!(!paid(76_781, json!(1770), "customer", "captured"));
        assert!(!paid(76_780, Value::Null, "customer", "captured"));
        assert!(!paid(75_009, json!(-1), "customer", "captured"), "never a smaller one");
        assert!(!payment(&json!({ "amount": 75_010, "currency": "USD" })).fits(75_010, "INR"));
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

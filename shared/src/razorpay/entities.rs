//! Razorpay's entities: the fields that are used here. Amounts are in paise, timestamps in seconds since 1970. Unknown
//! values and fields are ignored, because Razorpay adds new ones.

use serde::Deserialize;

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
}

impl Payment {
    /// Whether the payment was captured, even if it has been refunded since.
    pub fn is_taken(&self) -> bool {
        match self.status {
            PaymentStatus::Captured => true,
            PaymentStatus::Refunded => self.captured == Some(true),
            _ => false,
        }
    }
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

//! What Razorpay says, as far as it is used here. Amounts are in paise, moments in seconds since 1970. Unknown words and
//! fields are passed over: Razorpay adds new ones.

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
    /// Ours.
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
    /// How it stands.
    pub status: PaymentStatus,
    /// Tells of a payment that is refunded whether it had been captured. Not to be relied on before.
    #[serde(default)]
    pub captured: Option<bool>,
    /// What of it has been given back or is on its way, in paise.
    #[serde(default)]
    pub amount_refunded: Option<i64>,
}

impl Payment {
    /// Whether its money was taken, even if it has been given back since.
    pub fn is_taken(&self) -> bool {
        match self.status {
            PaymentStatus::Captured => true,
            PaymentStatus::Refunded => self.captured == Some(true),
            _ => false,
        }
    }
}

/// How a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentStatus {
    /// Begun.
    Created,
    /// The bank has set the money aside.
    Authorized,
    /// The money is taken.
    Captured,
    /// It was taken and has been given back, or was set aside and let go.
    Refunded,
    /// The bank said no. Not final: it may say yes later.
    Failed,
    /// A word that is not known here.
    #[serde(other)]
    Unknown,
}

/// Money on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// `rfnd_…`.
    pub id: String,
    /// In paise.
    pub amount: i64,
    /// What is given back.
    pub payment_id: String,
    /// How it stands.
    pub status: RefundStatus,
    /// Ours, if we asked for it.
    pub receipt: Option<String>,
}

/// How a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// There.
    Processed,
    /// It did not arrive.
    Failed,
    /// A word that is not known here.
    #[serde(other)]
    Unknown,
}

/// What a webhook tells. All of its parts may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// `payment.captured`, `order.paid`, `refund.processed` …
    #[serde(default)]
    pub event: String,
    /// What it is about, as it stood then.
    #[serde(default)]
    pub payload: Payload,
}

/// What an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Payload {
    /// A payment.
    pub payment: Option<Entity<Payment>>,
    /// A refund.
    pub refund: Option<Entity<Refund>>,
}

/// The wrapping of each part.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entity<T> {
    /// What is wrapped.
    pub entity: T,
}

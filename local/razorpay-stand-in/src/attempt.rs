//! A customer's attempt to pay an order.

use serde::Deserialize;
use serde_json::Value;

/// The outcome of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The bank has not answered yet.
    Created,
    /// The bank authorized the payment, which waits for its capture.
    Authorized,
    /// The payment was authorized and captured at once.
    Captured,
    /// The bank declined the payment.
    Failed,
}

/// A customer's attempt to pay an order; over HTTP the body of `POST /_checkout`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attempt {
    pub order_id: String,
    /// By default `Captured`, or `Authorized` for an order with manual capture.
    pub outcome: Option<Outcome>,
    /// Whether webhooks are sent.
    pub webhooks: bool,
    /// Overrides the order's amount.
    pub amount: Option<i64>,
    /// Whether the customer bears Razorpay's fee: the payment is larger than the order by it.
    pub customer_bears_fee: bool,
    /// Overrides the order's currency.
    pub currency: Option<String>,
    /// `upi`, `card`, `netbanking`, `wallet`, or any other method.
    pub method: Option<String>,
    /// Whether to pay although the order is paid or has an authorized payment. On a paid order an authorized payment is
    /// refunded at once, as at Razorpay; a captured one stays, against Razorpay's rules.
    pub second: bool,
    /// The `error_reason` of a failure; `payment_failed` by default.
    pub reason: Option<String>,
    pub email: Option<String>,
    /// The customer's phone number.
    pub contact: Option<String>,
    pub notes: Option<Value>,
}

impl Default for Attempt {
    /// An attempt without an order; webhooks are sent.
    fn default() -> Self {
        Self {
            order_id: String::new(),
            outcome: None,
            webhooks: true,
            amount: None,
            customer_bears_fee: false,
            currency: None,
            method: None,
            second: false,
            reason: None,
            email: None,
            contact: None,
            notes: None,
        }
    }
}

//! The states of payments, captures and refunds, the schema's enums; and the ways of refunds by hand.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::written::Written;

/// The state of a Razorpay order or a cash payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "payment_state", rename_all = "snake_case")]
pub enum PaymentState {
    /// It can be paid.
    Open,
    /// Money was captured for it.
    Settled,
    /// No payment is requested any more.
    Closed,
}

/// The state of a payment attempt. The order of variants matters: a capture only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "capture_state", rename_all = "snake_case")]
pub enum CaptureState {
    /// Not final: the bank may approve the payment later.
    Failed,
    Authorized,
    Captured,
}

/// Money on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "refund_state", rename_all = "snake_case")]
pub enum RefundState {
    /// Razorpay is to be asked.
    Queued,
    /// Razorpay has it.
    Pending,
    Processed,
    Failed,
}

impl RefundState {
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Processed | Self::Failed)
    }
}

/// The way of money that the shop gave back itself, not by Razorpay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByHand {
    /// Out of the drawer.
    Cash,
    /// From the shop's bank account.
    Transfer,
}

impl ByHand {
    /// The name in the database and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Transfer => "transfer",
        }
    }
}

impl Written for ByHand {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "cash" => Ok(Self::Cash),
            "transfer" => Ok(Self::Transfer),
            _ => Err("Choose cash or a bank transfer.".to_owned()),
        }
    }

    fn rules() -> Value {
        json!({})
    }
}

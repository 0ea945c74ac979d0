//! The states of payments, captures and refunds: the schema's enums.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

//! How money stands, as the schema's enums have it.

use serde::Serialize;
use utoipa::ToSchema;

/// An order of Razorpay, or cash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "payment_state", rename_all = "snake_case")]
pub enum PaymentState {
    /// It may be paid.
    Open,
    /// Money has come for it.
    Settled,
    /// No money is asked for any more.
    Closed,
}

/// Money that came in, or an attempt at it. The order is the rule: a capture only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "capture_state", rename_all = "snake_case")]
pub enum CaptureState {
    /// Not final: a bank may say yes later.
    Failed,
    Authorized,
    Captured,
}

/// Money on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
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

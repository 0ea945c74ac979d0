//! The state of a message.

use serde::Serialize;

/// Where a message is; a trigger lets it only move forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// To be sent when it is due.
    Pending,
    /// A job is about to call the carrier, or has just done so.
    Sending,
    /// The carrier has it.
    Sent,
    Delivered,
    Read,
    /// It was never delivered and will not be.
    Failed,
    /// It may have been sent.
    Unknown,
    /// It was never sent, because it was no longer true or worth it.
    Dropped,
}

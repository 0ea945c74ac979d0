//! The state of a message.

use serde::{Deserialize, Serialize};

/// Where a message is; a trigger lets it only move forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Encode, sqlx::Decode)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
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

crate::database::kept_as_text!(State);

impl State {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Dropped => "dropped",
        }
    }
}

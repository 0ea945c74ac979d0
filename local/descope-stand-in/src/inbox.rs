//! What would have been sent by SMS or e-mail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How many messages are kept.
const CAPACITY: usize = 1000;

/// A message that the stand-in did not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The phone number or e-mail address.
    pub to: String,
    /// What it is for.
    pub kind: MessageKind,
    /// The one-time code.
    pub code: Option<String>,
    /// What the link carries as `t`.
    pub token: Option<String>,
    /// Where the mail would have led.
    pub link: Option<String>,
    /// When it would have been sent, by the clock of the stand-in.
    pub sent_at: DateTime<Utc>,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A one-time code.
    Otp,
    /// A link to a new password.
    Reset,
    /// A link that signs in.
    MagicLink,
}

/// All messages, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inbox(Vec<Message>);

impl Inbox {
    /// Adds a message, and forgets the oldest when there are too many.
    pub(crate) fn add(&mut self, message: Message) {
        if self.0.len() >= CAPACITY {
            self.0.remove(0);
        }
        self.0.push(message);
    }

    /// The messages to one address, or all; newest first.
    pub(crate) fn to(&self, address: Option<&str>) -> Vec<Message> {
        let is_asked_for = |message: &&Message| address.is_none_or(|address| message.to == address);
        self.0.iter().rev().filter(is_asked_for).cloned().collect()
    }
}

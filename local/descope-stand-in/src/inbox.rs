//! Inbox: the messages that Descope would send by SMS or e-mail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

const CAPACITY: usize = 1000;

/// A recorded message, which is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Phone number or e-mail address.
    pub to: String,
    pub kind: MessageKind,
    pub code: Option<String>,
    /// Query parameter `t` of the link.
    pub token: Option<String>,
    pub link: Option<String>,
    /// By the clock of the stand-in.
    pub sent_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    Otp,
    /// A password reset link.
    Reset,
    /// A link that signs in.
    MagicLink,
}

/// All messages, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inbox(Vec<Message>);

impl Inbox {
    /// Adds a message. Drops the oldest beyond `CAPACITY`.
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

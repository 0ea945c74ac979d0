//! The stand-in's methods for tests, beside those that all stand-ins share.

use std::sync::Arc;

use serde_json::Value;
use stand_in::Shared;

use crate::{Channel, MailEvent, Taken, Told, feedback, state::State};

/// The three services of a stand-in.
#[derive(Debug)]
pub struct Carriers {
    pub(crate) shared: Arc<Shared<State>>,
}

impl Carriers {
    /// What was taken, oldest first.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.look().inbox.all().to_vec()
    }

    /// What was taken on one channel, oldest first.
    pub fn taken_by(&self, channel: Channel) -> Vec<Taken> {
        self.taken().into_iter().filter(|message| message.channel == channel).collect()
    }

    /// Forgets what was taken.
    pub fn forget(&self) {
        self.shared.keep(|state| state.inbox.clear());
    }

    /// WhatsApp's webhook about a message, with a code if it failed.
    pub fn status(&self, message: &Taken, status: &str, code: Option<i64>) -> Told {
        feedback::status(message, status, code)
    }

    /// MSG91's report about a message.
    pub fn report(&self, message: &Taken, status: &str) -> Told {
        feedback::report(message, status)
    }

    /// The webhook of a text that a person writes.
    pub fn inbound(&self, channel: Channel, from: &str, text: &str) -> Told {
        feedback::inbound(channel, from, text)
    }

    /// An event of SES, as `EventBridge` has it in `detail`.
    pub fn mail_event(&self, message: &Taken, event: MailEvent) -> Value {
        feedback::mail_event(message, event)
    }
}

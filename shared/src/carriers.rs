//! The services that carry messages to people: Amazon SES, the WhatsApp Cloud API, and MSG91 for SMS.
//!
//! None of them has an idempotency key, so no client repeats a call: each call ends in an [`Answer`], and the caller
//! decides. A channel without its settings is off.

mod answer;
mod mail_event;
mod msg91;
mod ses;
mod whatsapp;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use answer::{Answer, Refusal};
pub use mail_event::{MailEvent, MailFate};
pub use msg91::{Msg91, Report, ReportSecret, Reported, reports};
pub use ses::{Attachment, Mail, Ses};
pub use whatsapp::{Inbound, Status, StatusKind, Template, WhatsApp, WhatsAppSecrets, WhatsAppUpdate};

use crate::{
    Result,
    config::{self, Settings},
};

/// A way to reach a person.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Encode, sqlx::Decode,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(rename_all = "snake_case")]
pub enum Channel {
    #[serde(rename = "whatsapp")]
    #[sqlx(rename = "whatsapp")]
    WhatsApp,
    Sms,
    Email,
}

crate::database::kept_as_text!(Channel);

impl Channel {
    /// In the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::WhatsApp, Self::Sms, Self::Email];

    /// As in the database and in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// The clients of all channels.
#[derive(Clone, Debug)]
pub struct Carriers {
    pub whatsapp: WhatsApp,
    pub sms: Msg91,
    pub email: Ses,
}

impl Carriers {
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        Ok(Self {
            whatsapp: WhatsApp::from_settings(settings)?,
            sms: Msg91::from_settings(settings)?,
            email: Ses::from_settings(settings)?,
        })
    }

    /// The channels that are configured, in the order in which they are tried. An error while the secret that may hold a
    /// key has not been read: that is not "off".
    pub fn channels(&self) -> Result<Vec<Channel>> {
        let is_on = [
            (Channel::WhatsApp, self.whatsapp.is_on()?),
            (Channel::Sms, self.sms.is_on()?),
            (Channel::Email, self.email.is_on()?),
        ];
        Ok(is_on.into_iter().filter_map(|(channel, is_on)| is_on.then_some(channel)).collect())
    }
}

/// Whether two secrets are the same; compared in constant time.
fn is_same(secret: &SecretString, given: &str) -> bool {
    secret.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
}

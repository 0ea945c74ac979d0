//! Meta's webhook: what became of messages, and what people write back.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use crate::{
    Result,
    carriers::is_same,
    config::{self, Live, Settings},
};

/// The secret that signs the webhook, and the token of its registration.
#[derive(Clone, Debug)]
pub struct WhatsAppSecrets(Live<Secrets>);

#[derive(Default)]
struct Secrets {
    app: Option<SecretString>,
    verification: Option<SecretString>,
}

impl WhatsAppSecrets {
    /// Reads `WHATSAPP_APP_SECRET` and `WHATSAPP_VERIFY_TOKEN`, of which none may be set.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        settings
            .live(|values| {
                let secret = |text: Option<String>| text.map(|text| SecretString::from(text.trim()));
                Ok(Secrets {
                    app: secret(values.optional(config::WHATSAPP_APP_SECRET)?),
                    verification: secret(values.optional(config::WHATSAPP_VERIFY_TOKEN)?),
                })
            })
            .map(Self)
    }

    pub fn new(app: &str, verification: &str) -> Self {
        let secrets = Secrets { app: Some(app.into()), verification: Some(verification.into()) };
        Self(Live::fixed(secrets))
    }

    /// Whether this is the token that the webhook was registered with.
    pub fn verifies(&self, token: &str) -> Result<bool> {
        Ok(self.0.get()?.verification.as_ref().is_some_and(|known| is_same(known, token)))
    }

    /// Whether the raw body has this `X-Hub-Signature-256`.
    pub async fn signed(&self, body: &[u8], signature: &str) -> Result<bool> {
        let by = |secrets: &Secrets| secrets.app.as_ref().is_some_and(|secret| verify(secret, body, signature));
        let known = self.0.get()?;
        Ok(by(&known) || self.0.instead_of(&known).await.is_some_and(|newer| by(&newer)))
    }
}

/// `sha256=` and the HMAC-SHA256 of the body in hex; compared in constant time.
fn verify(secret: &SecretString, body: &[u8], signature: &str) -> bool {
    let Some(Ok(bytes)) = signature.trim().strip_prefix("sha256=").map(hex::decode) else { return false };
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return false };
    mac.chain_update(body).verify_slice(&bytes).is_ok()
}

/// What one call of the webhook tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhatsAppUpdate {
    pub statuses: Vec<Status>,
    pub inbound: Vec<Inbound>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Meta's id, `wamid…`.
    pub id: String,
    /// Our id.
    pub tag: Option<String>,
    pub kind: StatusKind,
    /// Meta's code of a failure.
    pub code: Option<i64>,
}

impl Status {
    /// Whether the number is not on WhatsApp.
    pub fn is_not_reachable(&self) -> bool {
        self.kind == StatusKind::Failed && self.code.is_some_and(super::is_not_reachable)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusKind {
    Sent,
    Delivered,
    Read,
    Failed,
    #[serde(other)]
    Other,
}

/// A text that a person wrote to the shop's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Digits with the country code, without `+`.
    pub from: String,
    pub text: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    value: Changed,
}

#[derive(Default, Deserialize)]
struct Changed {
    #[serde(default)]
    statuses: Vec<RawStatus>,
    #[serde(default)]
    messages: Vec<RawInbound>,
}

#[derive(Deserialize)]
struct RawStatus {
    id: String,
    status: StatusKind,
    #[serde(default)]
    errors: Vec<RawError>,
    biz_opaque_callback_data: Option<String>,
}

#[derive(Deserialize)]
struct RawError {
    code: i64,
}

#[derive(Deserialize)]
struct RawInbound {
    from: String,
    text: Option<RawText>,
    button: Option<RawButton>,
}

#[derive(Deserialize)]
struct RawText {
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct RawButton {
    #[serde(default)]
    text: String,
}

impl WhatsAppUpdate {
    /// Reads a body; `None` if it has another shape.
    pub fn read(body: &[u8]) -> Option<Self> {
        let Body { entry } = serde_json::from_slice(body).ok()?;
        let mut update = Self::default();
        for value in entry.into_iter().flat_map(|entry| entry.changes).map(|change| change.value) {
            update.statuses.extend(value.statuses.into_iter().map(|status| Status {
                id: status.id,
                tag: status.biz_opaque_callback_data,
                kind: status.status,
                code: status.errors.first().map(|error| error.code),
            }));
            update.inbound.extend(value.messages.into_iter().filter_map(|message| {
                let text = message.text.map(|text| text.body).or(message.button.map(|button| button.text))?;
                Some(Inbound { from: message.from, text })
            }));
        }
        Some(update)
    }
}

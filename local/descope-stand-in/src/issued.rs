//! Codes, links and sessions that were issued, as the stand-in keeps them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stand_in::random;

use crate::users::{User, is_email, is_phone};

/// Delivery method of a code or link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    Email,
    Sms,
    Voice,
    Whatsapp,
    Im,
}

impl Method {
    /// The method with this name in a path.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Email, Self::Sms, Self::Voice, Self::Whatsapp, Self::Im].into_iter().find(|method| method.name() == name)
    }

    /// Its name in paths and in the claim `amr`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Whatsapp => "whatsapp",
            Self::Im => "im",
        }
    }

    pub(crate) fn accepts(self, address: &str) -> bool {
        if self == Self::Email { is_email(address) } else { is_phone(address) }
    }
}

/// A new address, pending confirmation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) address: String,
    pub(crate) adds_login_id: bool,
}

/// An issued one-time code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) user_id: String,
    pub(crate) login_id: String,
    pub(crate) method: Method,
    pub(crate) code: String,
    pub(crate) address: String,
    pub(crate) expires: DateTime<Utc>,
    pub(crate) tries_left: u32,
    pub(crate) options: Value,
    pub(crate) change: Option<Change>,
    /// Generated in advance for a test user: a later send does not invalidate it.
    pub(crate) is_generated: bool,
}

/// An issued magic link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) user_id: String,
    pub(crate) method: Method,
    /// The address it was sent to; empty for an embedded link, which Descope does not send.
    pub(crate) address: String,
    pub(crate) expires: DateTime<Utc>,
    pub(crate) options: Value,
    pub(crate) change: Option<Change>,
}

impl Link {
    pub(crate) fn to_email(user: &User, expires: DateTime<Utc>) -> Self {
        Self {
            user_id: user.user_id.clone(),
            method: Method::Email,
            address: user.email.clone(),
            expires,
            options: Value::Null,
            change: None,
        }
    }
}

/// Unused links by token. A user can have several valid ones at the same time.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Links(pub(crate) BTreeMap<String, Link>);

impl Links {
    /// Adds a link and returns its token.
    pub(crate) fn add(&mut self, link: Link) -> String {
        let token = random::text::<64>();
        self.0.insert(token.clone(), link);
        token
    }

    pub(crate) fn forget_expired(&mut self, now: DateTime<Utc>) {
        self.0.retain(|_, link| link.expires > now);
    }
}

/// A session: an issued refresh token and its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user_id: String,
    pub(crate) expires: DateTime<Utc>,
    /// Authentication methods.
    pub(crate) amr: Vec<String>,
    /// Claims requested by the client; untrusted.
    pub(crate) nsec: Map<String, Value>,
    /// Why the refresh token is no longer valid.
    pub(crate) ended: Option<String>,
}

/// All sessions, by the digest of the refresh token.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sessions(pub(crate) BTreeMap<String, Session>);

impl Sessions {
    /// Ends all sessions of a user except the one with this digest.
    pub(crate) fn end_all(&mut self, user_id: &str, but: Option<&str>, why: &str) {
        for (digest, session) in &mut self.0 {
            if session.user_id == user_id && but != Some(digest) && session.ended.is_none() {
                session.ended = Some(why.to_owned());
            }
        }
    }

    pub(crate) fn forget_expired(&mut self, now: DateTime<Utc>) {
        self.0.retain(|_, session| session.expires > now);
    }
}

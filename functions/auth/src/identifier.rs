//! What somebody can prove to be theirs: a phone number or an e-mail address.

use serde_json::{Value, json};
use shared::{descope::Channel, email::Email, phone::Phone, written::Written};

/// A number or address that somebody has proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identifier {
    Phone(Phone),
    Email(Email),
}

impl Identifier {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }

    /// How a code reaches it.
    pub(crate) fn channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    /// The number, if it is one.
    pub(crate) fn phone(&self) -> Option<&str> {
        match self {
            Self::Phone(phone) => Some(phone.as_str()),
            Self::Email(_) => None,
        }
    }

    /// The address, if it is one.
    pub(crate) fn email(&self) -> Option<&str> {
        match self {
            Self::Phone(_) => None,
            Self::Email(email) => Some(email.as_str()),
        }
    }
}

impl Written for Identifier {
    fn parse(text: &str) -> Result<Self, String> {
        let phone = text.parse().map(Self::Phone).ok();
        let identifier = phone.or_else(|| text.parse().map(Self::Email).ok());
        identifier.ok_or_else(|| "Enter a valid phone number or email address.".to_owned())
    }

    fn rules() -> Value {
        json!({})
    }
}

//! Identifiers that a code can prove: phone numbers and e-mail addresses.

use crate::{
    descope::Channel,
    email::Email,
    phone::Phone,
    written::{LONGEST, Written},
};
use serde_json::{Value, json};

/// A phone number or an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    Phone(Phone),
    Email(Email),
}

impl Identifier {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }

    /// The channel by which a code reaches it.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    pub fn phone(&self) -> Option<&str> {
        match self {
            Self::Phone(phone) => Some(phone.as_str()),
            Self::Email(_) => None,
        }
    }

    pub fn email(&self) -> Option<&str> {
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
        json!({ "maxLength": LONGEST })
    }

    const MAY_BEGIN_WITH_PLUS: bool = true;
}

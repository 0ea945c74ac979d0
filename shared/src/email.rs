//! E-mail addresses, normalised to lower case.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress, Options};
use serde_json::{Value, json};

use crate::written::Written;

/// An e-mail address in lower case: addresses that differ only in case reach the same mailbox and are one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// The longest address that can be sent to (RFC 5321).
    pub const MAX: usize = 254;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("Enter a valid email address.")]
pub struct NotAnEmail;

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let text = text.trim();
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        if text.len() > Self::MAX || EmailAddress::parse_with_options(text, options).is_err() {
            return Err(NotAnEmail);
        }
        Ok(Self(text.to_lowercase()))
    }
}

impl Written for Email {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: NotAnEmail| error.to_string())
    }

    fn rules() -> Value {
        json!({ "format": "email", "maxLength": Self::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn an_address_is_trimmed_and_lowercased() {
        assert_eq!(" John.Doe@Example.COM ".parse::<Email>().unwrap().as_str(), "john.doe@example.com");
    }

    #[test]
    fn an_invalid_address_is_refused() {
        let long = format!("{}@example.com", "x".repeat(250));
        for text in ["", "x", "x@y", "@example.com", "a b@example.com", "J <j@example.com>", "j@[127.0.0.1]", &long] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }
}

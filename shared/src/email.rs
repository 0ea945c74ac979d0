//! E-mail addresses, normalised to lower case.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};
use url::Host;

use crate::{
    text::{Lines, clean, is_blank},
    written::Written,
};

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

    /// As the validator of Django, which the former service used, without hosts that are numbers or have no dot.
    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let text = clean(text, Lines::One).map_err(|_| NotAnEmail)?;
        let (mailbox, host) = text.rsplit_once('@').ok_or(NotAnEmail)?;
        if text.len() <= Self::MAX && is_mailbox(mailbox) && is_host(host) {
            Ok(Self(text.to_lowercase()))
        } else {
            Err(NotAnEmail)
        }
    }
}

/// Whether a text can be before the `@`: words with dots between them, or any ASCII in quotes.
fn is_mailbox(text: &str) -> bool {
    let is_word = |word: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-!#$%&'*+/=?^_`{}|~".contains(&byte);
        !word.is_empty() && word.bytes().all(is_allowed)
    };
    text.split('.').all(is_word)
        || text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).is_some_and(is_quoted)
}

fn is_quoted(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_escaped = byte == b'\\' && bytes.next().is_some_and(|next| matches!(next, b' '..=b'~'));
        if !is_escaped && (byte == b'\\' || byte == b'"' || !matches!(byte, b'!'..=b'~')) {
            return false;
        }
    }
    true
}

/// Whether a text is a host with a dot, whose last label has letters.
fn is_host(text: &str) -> bool {
    // The mapping of international names drops characters that cannot be seen.
    if text.chars().any(is_blank) {
        return false;
    }
    let ascii = match Host::parse(text) {
        _ if text.is_ascii() => text.to_ascii_lowercase(),
        Ok(Host::Domain(ascii)) => ascii,
        _ => return false,
    };
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_top = |label: &str| label.len() >= 2 && label.bytes().any(|byte| byte.is_ascii_alphabetic());
    ascii.rsplit_once('.').is_some_and(|(_, top)| is_top(top)) && ascii.split('.').all(is_label)
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
    fn what_the_former_service_took_is_taken() {
        for (text, address) in [
            ("o'hara+bike@sub.example.co.in", "o'hara+bike@sub.example.co.in"),
            ("\"john@home\"@example.com", "\"john@home\"@example.com"),
            ("john@xn--bcher-kva.example", "john@xn--bcher-kva.example"),
            ("john@B\u{fc}cher.example", "john@b\u{fc}cher.example"),
            ("john@bu\u{308}cher.example", "john@b\u{fc}cher.example"),
            ("john@example.xn--p1ai", "john@example.xn--p1ai"),
        ] {
            assert_eq!(text.parse::<Email>().unwrap().as_str(), address);
        }
    }

    #[test]
    fn an_invalid_address_is_refused() {
        let long = format!("{}@example.com", "x".repeat(250));
        for text in [
            "",
            "x",
            "x@y",
            "@example.com",
            "a b@example.com",
            "J <j@example.com>",
            "j@[127.0.0.1]",
            "j@127.0.0.1",
            "john@example.c",
            "john@example.com.",
            "john@.example.com",
            "john@-example.com",
            "john@exam_ple.com",
            "john@localhost",
            ".john@example.com",
            "jo..hn@example.com",
            "j\u{f6}hn@example.com",
            "john@exa\u{200b}mple.com",
            "john\u{1b}@example.com",
            "john\r\n@example.com",
            "\"jo\u{7}hn\"@example.com",
            "\"john@example.com",
            "john@@example.com",
            &long,
        ] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }
}

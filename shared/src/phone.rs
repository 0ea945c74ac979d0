//! Phone numbers: parsed from any common format, kept in E.164.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

use crate::written::Written;

/// A phone number in E.164, such as `+919876543210`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("Enter a valid phone number.")]
pub struct NotAPhone;

impl FromStr for Phone {
    type Err = NotAPhone;

    /// With `+`: 8 to 15 digits, a number of any country. Without: an Indian mobile number, ten digits of which the
    /// first is 6 to 9, optionally after `0`, `91`, `0091` or `091`. Spaces, hyphens, dots and brackets are ignored.
    fn from_str(text: &str) -> Result<Self, NotAPhone> {
        let mut digits = String::with_capacity(16);
        let mut is_international = false;
        for character in text.trim().chars() {
            match character {
                '0'..='9' => digits.push(character),
                '+' if digits.is_empty() && !is_international => is_international = true,
                ' ' | '-' | '.' | '(' | ')' | '\u{a0}' | '\u{2010}'..='\u{2013}' => {}
                _ => return Err(NotAPhone),
            }
        }
        if is_international {
            // `+91 098765 43210`: the trunk prefix is a common mistake.
            if let Some(mobile) = digits.strip_prefix("910").filter(|rest| is_indian_mobile(rest)) {
                return Ok(Self(format!("+91{mobile}")));
            }
            // No country code begins with 0.
            let is_number = (8..=15).contains(&digits.len()) && !digits.starts_with('0');
            return if is_number { Ok(Self(format!("+{digits}"))) } else { Err(NotAPhone) };
        }
        let significant = digits.trim_start_matches('0');
        let zeros = digits.len() - significant.len();
        let mobile = match (zeros, significant.len()) {
            (0..=2, 12) => significant.strip_prefix("91"),
            (0 | 1, 10) => Some(significant),
            _ => None,
        };
        mobile.filter(|mobile| is_indian_mobile(mobile)).map(|mobile| Self(format!("+91{mobile}"))).ok_or(NotAPhone)
    }
}

impl Written for Phone {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: NotAPhone| error.to_string())
    }

    fn rules() -> Value {
        json!({ "format": "phone" })
    }
}

fn is_indian_mobile(digits: &str) -> bool {
    digits.len() == 10 && digits.starts_with(['6', '7', '8', '9'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_common_format_gives_the_same_number() {
        for text in [
            "9876543210",
            "+919876543210",
            "+91 98765 43210",
            "098765-43210",
            "919876543210",
            "00919876543210",
            "0 98765 43210",
            "(+91) 98765.43210",
            "+91-98765-43210",
            " 98765 43210 ",
            "+9109876543210",
        ] {
            assert_eq!(text.parse::<Phone>().unwrap().as_str(), "+919876543210", "{text}");
        }
    }

    #[test]
    fn a_number_of_another_country_needs_a_plus() {
        assert_eq!("+1234567890".parse::<Phone>().unwrap().as_str(), "+1234567890");
        assert_eq!("+12345678".parse::<Phone>().unwrap().as_str(), "+12345678");
        assert_eq!("+123456789012345".parse::<Phone>().unwrap().as_str(), "+123456789012345");
        assert!("1234567890".parse::<Phone>().is_err());
    }

    #[test]
    fn an_invalid_number_is_refused() {
        for text in [
            "",
            "+",
            "12345",
            "5876543210",
            "98765432101",
            "+1234567",
            "+1234567890123456",
            "98765x3210",
            "९८७६५४३२१०",
            "+98765+43210",
            "00009876543210",
            "+0012345678",
        ] {
            assert!(text.parse::<Phone>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_parsed_number_parses_to_itself(text in "[+]?[0-9 ()-]{6,18}") {
            if let Ok(phone) = text.parse::<Phone>() {
                prop_assert_eq!(phone.to_string().parse::<Phone>().unwrap(), phone);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = text.parse::<Phone>();
        }
    }
}

//! Phone numbers: parsed from any common format, kept in E.164.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

use crate::{
    text::is_decoration,
    written::{LONGEST, Written},
};

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

    /// With `+`: a number of any country, 8 to 15 digits; after `+91` an Indian mobile number, ten digits of which the
    /// first is 6 to 9. Without: an Indian mobile number, optionally after `0`, `91`, `0091` or `091`. Spaces, dashes,
    /// dots, brackets and invisible characters are ignored.
    fn from_str(text: &str) -> Result<Self, NotAPhone> {
        let (digits, is_international) = digits(text)?;
        if is_international {
            if let Some(rest) = digits.strip_prefix("91") {
                // `+91 098765 43210`: the trunk prefix is a common mistake.
                let trunk = rest.strip_prefix('0').filter(|mobile| mobile.len() == 10);
                return of_indian_mobile(trunk.unwrap_or(rest));
            }
            return of_any_country(&digits);
        }
        let significant = digits.trim_start_matches('0');
        let zeros = digits.len() - significant.len();
        let mobile = match (zeros, significant.len()) {
            (0..=2, 12) => significant.strip_prefix("91"),
            (0 | 1, 10) => Some(significant),
            _ => None,
        };
        of_indian_mobile(mobile.ok_or(NotAPhone)?)
    }
}

impl Phone {
    /// A number that is shown to be called, not one that codes are sent to: as [`Phone::from_str`], and after `+91` also a
    /// landline.
    pub fn of_a_shop(text: &str) -> Result<Self, NotAPhone> {
        match digits(text)? {
            (digits, true) => text.parse().or_else(|_| of_any_country(&digits)),
            (_, false) => text.parse(),
        }
    }
}

/// The digits of a number without their decoration, and whether a `+` is before them.
fn digits(text: &str) -> Result<(String, bool), NotAPhone> {
    if is_decimal(text) {
        return Err(NotAPhone);
    }
    let mut digits = String::with_capacity(16);
    let mut is_international = false;
    for character in text.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' | '\u{ff0b}' if digits.is_empty() && !is_international => is_international = true,
            character if decorates(character) => {}
            _ => return Err(NotAPhone),
        }
    }
    Ok((digits, is_international))
}

/// Whether a character of a number is neither digit nor sign.
pub fn decorates(character: char) -> bool {
    is_decoration(character) || "()[]{}（）.\u{b7}\u{2022}\u{2024}\u{2027}\u{ff0e}".contains(character)
}

/// Whether a text is a number as a spreadsheet writes it, such as `919876543210.0`: its zero is no digit of a phone number.
fn is_decimal(text: &str) -> bool {
    let text = text.trim_matches(is_decoration);
    let fraction = text.split_once('.').map(|(_, fraction)| fraction);
    fraction.is_some_and(|fraction| (1..=2).contains(&fraction.len()) && fraction.bytes().all(|byte| byte == b'0'))
}

fn of_any_country(digits: &str) -> Result<Phone, NotAPhone> {
    // No country code begins with 0.
    let is_number = (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    if is_number { Ok(Phone(format!("+{digits}"))) } else { Err(NotAPhone) }
}

fn of_indian_mobile(digits: &str) -> Result<Phone, NotAPhone> {
    let is_mobile = digits.len() == 10 && digits.starts_with(['6', '7', '8', '9']);
    if is_mobile { Ok(Phone(format!("+91{digits}"))) } else { Err(NotAPhone) }
}

/// What a value of a query meant where its `+` became a space: `None` if no number begins with one. `raw` is the value
/// before it was decoded, `text` after.
pub fn with_plus(raw: &str, text: &str) -> Option<String> {
    let start = raw.split(|character: char| character.is_ascii_digit()).next().unwrap_or_default();
    let is_number = text.chars().all(|character| character.is_ascii_digit() || decorates(character));
    (start.contains('+') && is_number).then(|| format!("+{}", text.trim_start()))
}

impl Written for Phone {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: NotAPhone| error.to_string())
    }

    fn rules() -> Value {
        json!({ "format": "phone", "maxLength": LONGEST })
    }

    const MAY_BEGIN_WITH_PLUS: bool = true;
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
            "\u{202a}+91 98765 43210\u{202c}",
            "\u{feff}98765\u{200b}43210\u{200e}",
            "98765\u{3000}43210",
            "98765\u{2009}\u{202f}43210\t",
            "+91\u{2011}98765\u{2014}43210",
            "+91\u{2212}98765\u{ff0d}43210",
            "[+91] (98765) 43210",
            "\u{ff0b}919876543210",
            "98.76.54.32.10",
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
            "+919876543210.0",
            "919876543210.0",
            "9876543210.0",
            "+1234567890.0",
            "+1234567890.00\u{a0}",
            "+91987654321",
            "+9198765432101",
            "+915876543210",
            "+910000000000",
            "+9191987654321",
            "9.87654E+09",
            "98765\u{1b}43210",
            "98765,43210",
        ] {
            assert!(text.parse::<Phone>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_shop_may_have_a_landline() {
        for (text, number) in [("+91 80 4567 8901", "+918045678901"), ("98765 43210", "+919876543210")] {
            assert_eq!(Phone::of_a_shop(text).unwrap().as_str(), number);
        }
    }

    #[test]
    fn a_plus_that_a_query_made_a_space_is_known() {
        for (raw, text, meant) in [
            ("+1234567890", " 1234567890", Some("+1234567890")),
            ("+6598765432", " 6598765432", Some("+6598765432")),
            ("+91+98765+43210", " 91 98765 43210", Some("+91 98765 43210")),
            ("(+91)%2098765-43210", "( 91) 98765-43210", Some("+( 91) 98765-43210")),
            ("98765+43210", "98765 43210", None),
            ("%2B1234567890", "+1234567890", None),
            ("+%2B1234567890", " +1234567890", None),
            ("+Asha", " Asha", None),
        ] {
            assert_eq!(with_plus(raw, text).as_deref(), meant, "{raw}");
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

//! The text that staff search bookings for, in each form that it is matched in.

use serde_json::{Value, json};

use crate::{bookings::reference, phone::Phone, written::Written};

/// Digits that a part of a phone number has at least; fewer would match almost every booking.
const LEAST_DIGITS: usize = 3;

/// The text that staff searched for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// An `ilike` pattern that matches the text anywhere, with wildcards escaped.
    pub(super) pattern: String,
    /// The reference that the text spells.
    pub(super) reference: Option<String>,
    /// The booking's id, perhaps.
    pub(super) id: Option<i64>,
    /// `like` patterns of phone numbers in E.164.
    pub(super) phones: Vec<String>,
}

impl Written for Search {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::of(text))
    }

    fn rules() -> Value {
        json!({})
    }
}

impl Search {
    fn of(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len() + 2);
        pattern.push('%');
        for character in text.chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        Self {
            pattern,
            reference: reference::normalized(text),
            id: text.strip_prefix('#').unwrap_or(text).parse().ok(),
            phones: phones(text),
        }
    }
}

/// Patterns of the numbers that a text is a part of. It may be a whole number in any spelling, too.
fn phones(text: &str) -> Vec<String> {
    let whole: Option<Phone> = text.parse().ok();
    let mut patterns: Vec<String> = whole.iter().map(Phone::to_string).collect();
    if text.chars().any(char::is_alphabetic) {
        return patterns;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= LEAST_DIGITS {
        // Indian numbers are also written with a zero instead of the country code.
        if let Some(national) = digits.strip_prefix('0').filter(|national| national.len() >= LEAST_DIGITS) {
            patterns.push(format!("+91{national}%"));
        }
        patterns.push(format!("%{digits}%"));
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn a_pattern_matches_wildcards_literally() {
        for (text, pattern) in [("Rao", "%Rao%"), (r"50%_\", r"%50\%\_\\%"), ("098765-43210", "%098765-43210%")] {
            assert_eq!(Search::of(text).pattern, pattern);
        }
    }

    #[test]
    fn a_text_is_matched_as_part_of_a_number_from_three_digits_on() {
        for (text, phones) in [
            ("Rao", &[][..]),
            ("98", &[]),
            ("Rao 98765", &[]),
            ("987", &["%987%"]),
            ("(987) 65-4", &["%987654%"]),
            ("+91 987", &["%91987%"]),
            ("0987", &["+91987%", "%0987%"]),
            ("098", &["%098%"]),
            ("9876543210", &["+919876543210", "%9876543210%"]),
            ("098765-43210", &["+919876543210", "+919876543210%", "%09876543210%"]),
            ("1234567890", &["%1234567890%"]),
        ] {
            assert_eq!(Search::of(text).phones, phones, "{text}");
        }
    }

    #[test]
    fn references_and_ids_are_read_in_any_spelling() {
        let reference = Some("RMB-7K3QX-9ZD01".to_owned());
        for text in ["rmb-7k3qx-9zd01", "7K3QX9ZDOI", "RMB 7K3QX 9ZD01"] {
            assert_eq!(Search::of(text).reference, reference, "{text}");
        }
        for (text, id) in [("12", Some(12)), ("#12", Some(12)), ("12a", None), ("99999999999999999999", None)] {
            assert_eq!(Search::of(text).id, id, "{text}");
        }
    }
}

//! Values that callers send as text: how each is parsed, and its schema in the API document.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use serde_json::{Value, json};

use crate::text::{Lines, clean};

/// The longest text of a value that has no limit of its own, in characters: room for what people copy with it.
pub const LONGEST: usize = 1000;

/// A value that a body, a query or a form holds as text.
pub trait Written: Sized {
    /// Parses a trimmed text that is not empty and has no NUL; the error is the sentence for the caller.
    fn parse(text: &str) -> Result<Self, String>;

    /// The JSON Schema of the text beyond its type, such as a format; empty for enums, which have their own schema.
    fn rules() -> Value;

    /// Whether a `+` may be before it, which a query that is not encoded turns into a space.
    const MAY_BEGIN_WITH_PLUS: bool = false;
}

/// A text of one line.
impl Written for String {
    fn parse(text: &str) -> Result<Self, String> {
        clean(text, Lines::One).map_err(|unclean| unclean.to_string())
    }

    fn rules() -> Value {
        json!({})
    }
}

impl Written for NaiveDate {
    fn parse(text: &str) -> Result<Self, String> {
        let is_plain = text.len() <= 10 && text.starts_with(|first: char| first.is_ascii_digit());
        Self::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|date| is_plain && date.year() > 0)
            .ok_or_else(|| "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.".to_owned())
    }

    fn rules() -> Value {
        json!({ "format": "date" })
    }
}

impl Written for NaiveTime {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse_from_str(text, "%H:%M:%S%.f")
            .or_else(|_| Self::parse_from_str(text, "%H:%M"))
            .ok()
            .filter(|time| time.nanosecond() < 1_000_000_000)
            .ok_or_else(|| "Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]].".to_owned())
    }

    fn rules() -> Value {
        json!({ "pattern": r"^([01]?\d|2[0-3]):[0-5]?\d(:[0-5]?\d(\.\d+)?)?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_and_without_seconds() {
        assert_eq!(<NaiveTime as Written>::parse("09:30"), <NaiveTime as Written>::parse("09:30:00"));
        for text in ["", "25:00", "9", "09:60", "09:30:00+05:30", "23:59:60", "noon"] {
            assert!(<NaiveTime as Written>::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_invalid_date_is_refused() {
        for text in [
            "",
            "0000-01-01",
            "2026-13-01",
            "2026-02-30",
            "01-11-2025",
            "+12026-01-01",
            "-0001-01-01",
            "2026-11-22T10:00",
        ] {
            assert!(<NaiveDate as Written>::parse(text).is_err(), "{text}");
        }
    }
}

//! Reads the fields of a body or query the way the former service did: leniently, and telling all faults at once.

use std::ops::RangeInclusive;

use secrecy::SecretString;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::Faults;

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";
const BLANK: &str = "This field may not be blank.";
const NUL: &str = "Null characters are not allowed.";
const NOT_A_STRING: &str = "Not a valid string.";
const NOT_AN_INTEGER: &str = "A valid integer is required.";
const NOT_A_BOOLEAN: &str = "Must be a valid boolean.";

/// A body or query that can be read out of fields.
pub trait Read: Sized {
    /// Takes what it knows out of the fields; `None` if that cannot be, with the reasons noted in [`Fields::faults`].
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// Nothing is asked for.
impl Read for () {
    fn read(_: &mut Fields) -> Option<Self> {
        Some(())
    }
}

/// Two things that are asked for at once; the faults of both are told.
impl<A: Read, B: Read> Read for (A, B) {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (first, second) = (A::read(fields), B::read(fields));
        first.zip(second)
    }
}

/// The fields of a request, and what was found wrong with them.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    /// What is wrong so far.
    pub faults: Faults,
}

impl Fields {
    /// The fields of a JSON object.
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values, faults: Faults::default() }
    }

    /// The fields of a query string; of a repeated one the last counts.
    pub fn from_query(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self::new(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
    }

    /// A hash of the fields that does not depend on their order and spacing (RFC 8785).
    pub fn sha256(&self) -> [u8; 32] {
        // A JSON object that was parsed can always be written.
        let canonical = serde_json_canonicalizer::to_vec(&self.values).unwrap_or_default();
        Sha256::digest(canonical).into()
    }

    /// Whether the field was sent at all.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// A trimmed text of 1 to `max` characters.
    pub fn text(&mut self, name: &str, max: usize) -> Option<String> {
        let text = self.optional_text(name, max, true)?;
        if text.is_empty() {
            self.faults.add(name, BLANK);
            return None;
        }
        Some(text)
    }

    /// A trimmed text of up to `max` characters; empty if it was not sent.
    pub fn text_or_empty(&mut self, name: &str, max: usize) -> Option<String> {
        self.optional_text(name, max, false)
    }

    /// A password or token: 1 to `max` characters, of which none is trimmed away.
    pub fn secret(&mut self, name: &str, max: usize) -> Option<SecretString> {
        match self.values.remove(name) {
            None => self.fault(name, REQUIRED),
            Some(Value::Null) => self.fault(name, NULL),
            Some(Value::String(text)) if text.trim().is_empty() => self.fault(name, BLANK),
            Some(Value::String(text)) if text.contains('\0') => self.fault(name, NUL),
            Some(Value::String(text)) if text.chars().count() > max => {
                self.fault(name, format!("Ensure this field has no more than {max} characters."))
            }
            Some(Value::String(text)) => Some(text.into()),
            Some(Value::Number(number)) => Some(number.to_string().into()),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => self.fault(name, NOT_A_STRING),
        }
    }

    /// A text that means something: `parse` says what, or with which sentence it fails.
    pub fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name, 1000)?;
        parse(&text).map_err(|sentence| self.faults.add(name, sentence)).ok()
    }

    /// A number without fraction; `"3"` is accepted where `3` is meant.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        match self.values.remove(name) {
            None => self.fault(name, REQUIRED),
            Some(Value::Null) => self.fault(name, NULL),
            Some(value) => match integer(&value) {
                Some(number) => Some(number),
                None => self.fault(name, NOT_AN_INTEGER),
            },
        }
    }

    /// A number in a range, if it was sent.
    pub fn integer_within(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        if !self.has(name) {
            return None;
        }
        let number = self.integer(name)?;
        if number < *range.start() {
            return self.fault(name, format!("Ensure this value is greater than or equal to {}.", range.start()));
        }
        if number > *range.end() {
            return self.fault(name, format!("Ensure this value is less than or equal to {}.", range.end()));
        }
        Some(number)
    }

    /// A yes or no; no if it was not sent.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.values.remove(name) {
            None => Some(false),
            Some(Value::Null) => self.fault(name, NULL),
            Some(Value::Bool(flag)) => Some(flag),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            Some(_) => self.fault(name, NOT_A_BOOLEAN),
        }
    }

    /// As [`Self::parsed`] where the field may be left out; an empty text, as forms send it, counts as none.
    pub fn parsed_if_any<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text_or_empty(name, 1000)?;
        if text.is_empty() {
            return None;
        }
        parse(&text).map_err(|sentence| self.faults.add(name, sentence)).ok()
    }

    /// A list of 1 to `max` numbers without duplicates.
    pub fn integers(&mut self, name: &str, max: usize) -> Option<Vec<i64>> {
        let items = match self.values.remove(name) {
            None => return self.fault(name, REQUIRED),
            Some(Value::Null) => return self.fault(name, NULL),
            Some(Value::Array(items)) => items,
            Some(value) => {
                return self.fault(name, format!("Expected a list of items but got type \"{}\".", type_name(&value)));
            }
        };
        if items.is_empty() {
            return self.fault(name, "This list may not be empty.");
        }
        if items.len() > max {
            return self.fault(name, format!("Ensure this field has no more than {max} elements."));
        }
        let Some(numbers) = items.iter().map(integer).collect::<Option<Vec<_>>>() else {
            return self.fault(name, NOT_AN_INTEGER);
        };
        if numbers.iter().enumerate().any(|(index, number)| numbers.iter().skip(index + 1).any(|other| other == number))
        {
            return self.fault(name, "This list may not contain duplicates.");
        }
        Some(numbers)
    }

    /// Turns a text like `1,2` into a list, as queries send them.
    pub fn split_list(&mut self, name: &str) {
        if let Some(Value::String(text)) = self.values.get_mut(name) {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let items = items.map(|item| Value::String(item.to_owned())).collect();
            self.values.insert(name.to_owned(), Value::Array(items));
        }
    }

    fn optional_text(&mut self, name: &str, max: usize, is_required: bool) -> Option<String> {
        let text = match self.values.remove(name) {
            None if is_required => return self.fault(name, REQUIRED),
            Some(Value::Null) if is_required => return self.fault(name, NULL),
            None | Some(Value::Null) => return Some(String::new()),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                return self.fault(name, NOT_A_STRING);
            }
        };
        if text.contains('\0') {
            return self.fault(name, NUL);
        }
        if text.chars().count() > max {
            return self.fault(name, format!("Ensure this field has no more than {max} characters."));
        }
        Some(text)
    }

    fn fault<T>(&mut self, name: &str, sentence: impl Into<String>) -> Option<T> {
        self.faults.add(name, sentence);
        None
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            if fraction.bytes().all(|digit| digit == b'0') { whole.parse().ok() } else { None }
        }
        Value::Number(number) => number.as_i64().or_else(|| integer(&Value::String(number.to_string()))),
        _ => None,
    }
}

/// What a Python client would call the type.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        match value {
            Value::Object(values) => Fields::new(values),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn numbers_are_read_as_a_person_means_them() {
        let mut fields = fields(json!({ "a": 3, "b": "3", "c": " 3 ", "d": 3.0, "e": "3.00" }));
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(fields.integer(name), Some(3), "{name}");
        }
        assert!(fields.faults.is_empty());
    }

    #[test]
    fn what_is_no_number_is_told_in_the_former_service_s_words() {
        let mut fields = fields(json!({ "a": "moon", "b": 3.5, "c": true, "d": null, "e": [3], "f": 1e300 }));
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            assert_eq!(fields.integer(name), None, "{name}");
        }
        assert_eq!(
            json!(fields.faults),
            json!({
                "a": ["A valid integer is required."], "b": ["A valid integer is required."],
                "c": ["A valid integer is required."], "d": ["This field may not be null."],
                "e": ["A valid integer is required."], "f": ["A valid integer is required."],
                "g": ["This field is required."],
            })
        );
    }

    #[test]
    fn a_hash_tells_json_apart_not_its_spelling() {
        let of = |text: &str| fields(serde_json::from_str(text).unwrap()).sha256();
        assert_eq!(of(r#"{"a": 1, "b": {"c": [1.0], "d": "\u0041"}}"#), of(r#"{ "b":{"d":"A","c":[1]},"a":1 }"#));
        assert_ne!(of(r#"{"a": [1, 2]}"#), of(r#"{"a": [2, 1]}"#));
        assert_ne!(of(r#"{"a": "1"}"#), of(r#"{"a": 1}"#));
    }

    #[test]
    fn texts_are_trimmed_and_measured_in_characters() {
        let mut fields = fields(json!({ "a": "  ü  ", "b": "   ", "c": "xyz", "d": "a\u{0}b", "e": {}, "f": 98 }));
        assert_eq!(fields.text("a", 1).as_deref(), Some("ü"));
        assert_eq!(fields.text("b", 1), None);
        assert_eq!(fields.text("c", 2), None);
        assert_eq!(fields.text("d", 9), None);
        assert_eq!(fields.text("e", 9), None);
        assert_eq!(fields.text("f", 9).as_deref(), Some("98"));
        assert_eq!(fields.text_or_empty("g", 9).as_deref(), Some(""));
        assert_eq!(
            json!(fields.faults),
            json!({
                "b": ["This field may not be blank."],
                "c": ["Ensure this field has no more than 2 characters."],
                "d": ["Null characters are not allowed."],
                "e": ["Not a valid string."],
            })
        );
    }

    #[test]
    fn a_yes_or_no_is_read_from_json_and_from_a_form() {
        let mut fields = fields(json!({ "a": true, "b": "False", "c": " true ", "d": "yes", "e": 1, "f": null }));
        let flags = ["a", "b", "c", "d", "e", "f", "g"].map(|name| fields.flag(name));
        assert_eq!(flags, [Some(true), Some(false), Some(true), None, None, None, Some(false)]);
        assert_eq!(
            json!(fields.faults),
            json!({
                "d": ["Must be a valid boolean."], "e": ["Must be a valid boolean."],
                "f": ["This field may not be null."],
            })
        );
    }

    #[test]
    fn a_list_of_numbers_has_no_holes_and_no_duplicates() {
        let mut fields = fields(json!({ "a": [1, "2"], "b": [], "c": "1,2", "d": [1, 1], "e": [1, 2, 3], "f": ["x"] }));
        fields.split_list("c");
        assert_eq!(fields.integers("a", 2), Some(vec![1, 2]));
        assert_eq!(fields.integers("c", 2), Some(vec![1, 2]));
        for name in ["b", "d", "e", "f"] {
            assert_eq!(fields.integers(name, 2), None, "{name}");
        }
        assert_eq!(
            json!(fields.faults),
            json!({
                "b": ["This list may not be empty."],
                "d": ["This list may not contain duplicates."],
                "e": ["Ensure this field has no more than 2 elements."],
                "f": ["A valid integer is required."],
            })
        );
    }
}

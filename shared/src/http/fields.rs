//! Reads the fields of a body or query as the former service did: leniently, and reporting all faults at once.

mod asked;
mod integers;
mod query;
mod values;

use std::fmt;

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    Faults,
    text::{Lines, Unclean, clean, nfc},
};

use asked::AskedField;
#[cfg(feature = "openapi")]
pub use asked::fields_read;
#[cfg(feature = "openapi")]
pub(super) use asked::record;

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";
const BLANK: &str = "This field may not be blank.";
const NOT_A_STRING: &str = "Not a valid string.";
const NOT_A_BOOLEAN: &str = "Must be a valid boolean.";

/// A body or query that is read from fields.
pub trait Read: Sized {
    /// Reads the fields; `None` if they are invalid, with the reasons in [`Fields::faults`]. Ask for every field before
    /// the first `?`, so that all faults are reported and the API document knows all fields.
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// A request without fields.
impl Read for () {
    fn read(_: &mut Fields) -> Option<Self> {
        Some(())
    }
}

/// Two values of one request; the faults of both are reported.
impl<A: Read, B: Read> Read for (A, B) {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (first, second) = (A::read(fields), B::read(fields));
        first.zip(second)
    }
}

/// The fields of a request, and their faults.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    /// Of a query: all pairs, in the order in which they were sent.
    pairs: Vec<query::Pair>,
    pub faults: Faults,
    /// The fields that were asked for so far; recorded for the API document only.
    pub(super) asked: Vec<AskedField>,
    is_probe: bool,
}

/// A body as it was sent.
pub struct Whole(Map<String, Value>);

impl Whole {
    /// A hash that is independent of the order of the fields and of spacing (RFC 8785). It costs as much as the rest of
    /// reading a body.
    pub fn sha256(&self) -> [u8; 32] {
        // A JSON object that was parsed can always be written.
        let canonical = serde_json_canonicalizer::to_vec(&self.0).unwrap_or_default();
        Sha256::digest(canonical).into()
    }
}

impl fmt::Debug for Whole {
    // It has the caller's personal data.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Whole")
    }
}

impl Fields {
    /// The fields of a JSON object.
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values, ..Self::default() }
    }

    /// The fields of a query string; if a name is repeated, its last value counts. `name[]` is the same as `name`.
    pub fn from_query(query: &str) -> Self {
        let pairs = query::pairs(query);
        let values = pairs.iter().map(|pair| (pair.name.clone(), Value::String(pair.value.clone()))).collect();
        Self { values, pairs, ..Self::default() }
    }

    /// Fields that count as sent, so that a reader asks for all that it knows.
    pub(super) fn probe() -> Self {
        Self { is_probe: true, ..Self::default() }
    }

    /// All fields as they were sent. Readers take what they read, so this comes first.
    pub fn whole(&self) -> Whole {
        Whole(self.values.clone())
    }

    /// Whether the field was sent.
    pub fn has(&self, name: &str) -> bool {
        self.is_probe || self.values.contains_key(name)
    }

    /// A [clean] text of one line and 1 to `max` characters.
    pub fn text(&mut self, name: &str, max: usize) -> Option<String> {
        self.ask(name, true, || json!({ "type": "string", "minLength": 1, "maxLength": max }));
        self.filled(name, max, Lines::One)
    }

    /// A [clean] text of one line and up to `max` characters; empty if it was not sent.
    pub fn text_or_empty(&mut self, name: &str, max: usize) -> Option<String> {
        self.ask(name, false, || json!({ "type": ["string", "null"], "maxLength": max }));
        self.cleaned(name, max, false, Lines::One)
    }

    /// As [`Self::text`], of any number of lines.
    pub fn lines(&mut self, name: &str, max: usize) -> Option<String> {
        self.ask(name, true, || json!({ "type": "string", "minLength": 1, "maxLength": max }));
        self.filled(name, max, Lines::Many)
    }

    /// As [`Self::text_or_empty`], of any number of lines.
    pub fn lines_or_empty(&mut self, name: &str, max: usize) -> Option<String> {
        self.ask(name, false, || json!({ "type": ["string", "null"], "maxLength": max }));
        self.cleaned(name, max, false, Lines::Many)
    }

    /// As [`Self::lines_or_empty`], for a text to be changed: `None` if it was not sent, and null is no text.
    pub fn lines_if_sent(&mut self, name: &str, max: usize) -> Option<String> {
        self.ask(name, false, || json!({ "type": "string", "maxLength": max }));
        if self.values.contains_key(name) { self.cleaned(name, max, true, Lines::Many) } else { None }
    }

    /// A text of up to `max` characters that older clients send as `old_name`.
    pub fn renamed_text(&mut self, name: &str, old_name: &str, max: usize) -> Option<String> {
        let rules = || json!({ "type": "string", "minLength": 1, "maxLength": max });
        self.ask(name, true, rules);
        self.ask(old_name, false, rules);
        let is_old = !self.has(name) && self.has(old_name);
        self.filled(if is_old { old_name } else { name }, max, Lines::One)
    }

    /// A password or token: 1 to `max` characters, not trimmed.
    pub fn secret(&mut self, name: &str, max: usize) -> Option<SecretString> {
        self.ask(name, true, || json!({ "type": "string", "format": "password", "minLength": 1, "maxLength": max }));
        match self.values.remove(name) {
            None => self.fault(name, REQUIRED),
            Some(Value::Null) => self.fault(name, NULL),
            Some(Value::String(text)) if text.trim().is_empty() => self.fault(name, BLANK),
            Some(Value::String(text)) if text.contains('\0') => self.fault(name, Unclean::Nul.to_string()),
            Some(Value::String(text)) if text.chars().count() > max => self.fault(name, too_long(max)),
            Some(Value::String(text)) => Some(text.into()),
            Some(Value::Number(number)) => Some(number.to_string().into()),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => self.fault(name, NOT_A_STRING),
        }
    }

    /// A boolean; `false` if it was not sent.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        // Without a default: generated clients would have to send it.
        self.ask(name, false, || json!({ "type": "boolean" }));
        match self.values.remove(name) {
            None | Some(Value::Null) => Some(false),
            Some(Value::Bool(flag)) => Some(flag),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            Some(_) => self.fault(name, NOT_A_BOOLEAN),
        }
    }

    /// Records a field for the API document; a function that only serves has no code for it.
    fn ask(&mut self, name: &str, is_required: bool, rules: impl FnOnce() -> Value) {
        if cfg!(feature = "openapi") {
            self.asked.push(AskedField { name: name.to_owned(), is_required, rules: rules() });
        }
    }

    /// A clean text that is there and not empty.
    fn filled(&mut self, name: &str, max: usize, lines: Lines) -> Option<String> {
        let text = self.cleaned(name, max, true, lines)?;
        if text.is_empty() { self.fault(name, BLANK) } else { Some(text) }
    }

    fn cleaned(&mut self, name: &str, max: usize, is_required: bool, lines: Lines) -> Option<String> {
        let text = self.sent(name, is_required)?;
        match clean(&text, lines) {
            Ok(text) if text.chars().count() > max => self.fault(name, too_long(max)),
            Ok(text) => Some(text),
            Err(unclean) => self.fault(name, unclean.to_string()),
        }
    }

    /// The trimmed text of a value that is parsed further, and so may have decoration.
    fn trimmed(&mut self, name: &str, max: usize, is_required: bool) -> Option<String> {
        let text = self.sent(name, is_required)?;
        let text = nfc(text.trim());
        if text.contains('\0') {
            return self.fault(name, Unclean::Nul.to_string());
        }
        if text.chars().count() > max {
            return self.fault(name, too_long(max));
        }
        Some(text.into_owned())
    }

    /// The text of a field as it was sent; empty if it is missing and need not be there.
    fn sent(&mut self, name: &str, is_required: bool) -> Option<String> {
        match self.values.remove(name) {
            None if is_required => self.fault(name, REQUIRED),
            Some(Value::Null) if is_required => self.fault(name, NULL),
            None | Some(Value::Null) => Some(String::new()),
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => self.fault(name, NOT_A_STRING),
        }
    }

    fn fault<T>(&mut self, name: &str, sentence: impl Into<String>) -> Option<T> {
        self.faults.add(name, sentence);
        None
    }
}

fn too_long(max: usize) -> String {
    format!("Ensure this field has no more than {max} characters.")
}

/// The name of the type in Python, as the former service's messages have it.
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
    use crate::http::Patch;

    pub(super) fn fields(value: Value) -> Fields {
        match value {
            Value::Object(values) => Fields::new(values),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn the_hash_depends_on_values_not_on_order_or_spacing() {
        let of = |text: &str| fields(serde_json::from_str(text).unwrap()).whole().sha256();
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
    fn null_is_no_value_of_a_field_to_be_changed() {
        let mut fields =
            fields(json!({ "a": null, "b": null, "c": "", "d": "", "e": " x\r\ny ", "f": null, "g": null }));
        assert_eq!(fields.lines_if_sent("a", 9), None);
        assert_eq!(fields.patch::<String>("b", 9), None);
        assert_eq!(fields.lines_if_sent("c", 9).as_deref(), Some(""));
        assert_eq!(fields.patch::<String>("d", 9), Some(Patch::Clear));
        assert_eq!(fields.lines_if_sent("e", 3).as_deref(), Some("x\ny"));
        assert_eq!(fields.text_or_empty("f", 9).as_deref(), Some(""));
        assert_eq!(fields.value_if_any::<String>("g"), None);
        assert_eq!((fields.lines_if_sent("h", 9), fields.patch::<String>("i", 9)), (None, Some(Patch::Keep)));
        let sentences = ["This field may not be null."];
        assert_eq!(json!(fields.faults), json!({ "a": sentences, "b": sentences }));
    }

    #[test]
    fn every_way_to_read_a_text_cleans_it() {
        let limited: [fn(&mut Fields) -> Option<String>; 5] = [
            |fields| fields.text("x", 9),
            |fields| fields.text_or_empty("x", 9),
            |fields| fields.lines("x", 9),
            |fields| fields.renamed_text("x", "y", 9),
            |fields| fields.patch("x", 9).and_then(Patch::value),
        ];
        let value: fn(&mut Fields) -> Option<String> = |fields| fields.value("x");
        for read in limited.into_iter().chain([value]) {
            for (text, sentence) in [
                ("a\u{1b}b", "This field may not contain control characters."),
                ("a\u{202e}b", "This field may not contain control characters."),
                ("\u{200b}", "This field may not be blank."),
                ("a\u{0}b", "Null characters are not allowed."),
            ] {
                let mut fields = fields(json!({ "x": text }));
                assert_eq!(read(&mut fields), None, "{text:?}");
                assert_eq!(fields.faults.of("x"), [sentence], "{text:?}");
            }
        }
        for read in limited {
            // Ten characters in this form, which is the one that is stored.
            let mut fields = fields(json!({ "x": "\u{95b}\u{95b}\u{95b}\u{95b}\u{95b}" }));
            assert_eq!(read(&mut fields), None);
            assert_eq!(fields.faults.of("x"), ["Ensure this field has no more than 9 characters."]);
        }
    }

    #[test]
    fn a_boolean_is_read_from_json_and_from_a_form() {
        let mut fields = fields(json!({ "a": true, "b": "False", "c": " true ", "d": "yes", "e": 1, "f": null }));
        let flags = ["a", "b", "c", "d", "e", "f", "g"].map(|name| fields.flag(name));
        assert_eq!(flags, [Some(true), Some(false), Some(true), None, None, Some(false), Some(false)]);
        assert_eq!(
            json!(fields.faults),
            json!({ "d": ["Must be a valid boolean."], "e": ["Must be a valid boolean."] })
        );
    }
}

//! Validation of the members of request bodies.

use serde_json::{Map, Value, json};

use crate::{
    answer::{Refusal, Result},
    request::Request,
};

const NOTES_LIMIT: usize = 15;
const NOTE_LENGTH: usize = 256;

impl Request {
    /// A member of the body. `null` counts as absent.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// Refuses all members but these.
    pub(crate) fn expect_only(&self, known: &[&str]) -> Result<()> {
        let extra: Vec<_> = self.body.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
        if extra.is_empty() { Ok(()) } else { Err(Refusal::extra_fields(&extra.join(", "))) }
    }

    /// An integer. Only a form may have it as a string.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.member(name) else { return Ok(None) };
        let number = if self.is_form { value.as_str().and_then(|text| text.parse().ok()) } else { value.as_i64() };
        number.map(Some).ok_or_else(|| Refusal::not_an_integer(name))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::not_a_text(name)),
        }
    }

    /// A boolean. Forms and older integrations send `1` or `0`.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.member(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => Some(number.as_i64() != Some(0)),
            Value::String(text) => Some(matches!(text.as_str(), "1" | "true")),
            _ => None,
        }
    }

    /// The notes. Without any they are `[]`, never an empty object.
    pub(crate) fn notes(&self) -> Result {
        match self.member("notes") {
            None => Ok(json!([])),
            Some(Value::Array(none)) if none.is_empty() => Ok(json!([])),
            Some(Value::Object(notes)) => checked(notes),
            Some(_) => Err(Refusal::notes()),
        }
    }
}

fn checked(notes: &Map<String, Value>) -> Result {
    if notes.is_empty() {
        return Ok(json!([]));
    }
    let fits = |value: &Value| match value {
        Value::String(text) => text.chars().count() <= NOTE_LENGTH,
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    };
    if notes.len() > NOTES_LIMIT || !notes.values().all(fits) {
        return Err(Refusal::notes());
    }
    Ok(Value::Object(notes.clone()))
}

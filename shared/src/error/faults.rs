//! Validation errors of a request, by field.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Error, Result};

/// Validation errors: sentences by field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    /// Adds a sentence, once per field.
    pub fn add(&mut self, field: &str, sentence: impl Into<String>) {
        let sentences = self.0.entry(field.to_owned()).or_default();
        let sentence = sentence.into();
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }

    pub fn merge(&mut self, others: Self) {
        for (field, sentences) in others.0 {
            for sentence in sentences {
                self.add(&field, sentence);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sentences of a field.
    pub fn of(&self, field: &str) -> &[String] {
        self.0.get(field).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The first sentence, for callers that show only one.
    pub(super) fn first(&self) -> &str {
        self.0.values().flatten().next().map(String::as_str).unwrap_or_default()
    }

    /// Returns `value` if there is no fault, else the faults as an error.
    pub fn or<T>(self, value: T) -> Result<T> {
        if self.is_empty() { Ok(value) } else { Err(Error::Validation(self)) }
    }
}

impl From<(&str, &str)> for Faults {
    fn from((field, sentence): (&str, &str)) -> Self {
        let mut faults = Self::default();
        faults.add(field, sentence);
        faults
    }
}

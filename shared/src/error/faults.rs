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

    /// The first fault in words, for callers that show only one sentence: the field's name as a label, what is wrong, and
    /// how many more faults there are.
    pub(super) fn sentence(&self) -> String {
        let mut faults = self.0.iter().flat_map(|(field, sentences)| sentences.iter().map(move |text| (field, text)));
        let Some((field, first)) = faults.next() else { return String::new() };
        let named = if field == "non_field_errors" { first.clone() } else { format!("{}: {first}", label(field)) };
        match faults.count() {
            0 => named,
            more => format!("{named} (and {more} more)"),
        }
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

/// The name of a field as people read it: `appointment_time` is `Appointment time`.
fn label(field: &str) -> String {
    let words = field.replace('_', " ");
    let mut characters = words.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_the_first_fault_and_counts_the_others() {
        let mut faults = Faults::from(("appointment_time", "Appointments start every 60 minutes from 09:00."));
        assert_eq!(faults.sentence(), "Appointment time: Appointments start every 60 minutes from 09:00.");
        faults.add("customer_phone", "Enter a valid phone number.");
        faults.add("notes", "Not a valid string.");
        assert_eq!(faults.sentence(), "Appointment time: Appointments start every 60 minutes from 09:00. (and 2 more)");
        assert_eq!(Faults::from(("non_field_errors", "Invalid data.")).sentence(), "Invalid data.");
    }
}

//! Values that are sent as text and parsed further, such as a date or a number.

use serde_json::{Value, json};

use super::{BLANK, Fields};
use crate::{
    http::Patch,
    text::Lines,
    written::{LONGEST, Written},
};

impl Fields {
    /// A value that is sent as text.
    pub fn value<T: Written>(&mut self, name: &str) -> Option<T> {
        self.ask(name, true, || T::rules());
        self.restore_plus::<T>(name);
        let text = self.valued(name)?;
        self.parse(name, &text)
    }

    /// As [`Self::value`], for a field that may be missing.
    pub fn value_if_sent<T: Written>(&mut self, name: &str) -> Option<T> {
        self.ask(name, false, || T::rules());
        if !self.values.contains_key(name) {
            return None;
        }
        self.restore_plus::<T>(name);
        let text = self.valued(name)?;
        self.parse(name, &text)
    }

    /// As [`Self::value_if_sent`]; null and an empty text, which forms send, count as missing.
    pub fn value_if_any<T: Written>(&mut self, name: &str) -> Option<T> {
        self.ask(name, false, || T::rules());
        self.restore_plus::<T>(name);
        let text = self.trimmed(name, LONGEST, false)?;
        if text.is_empty() {
            return None;
        }
        self.parse(name, &text)
    }

    /// The unparsed text of a value, for a reader with error messages of its own; empty if it was not sent.
    pub fn unparsed<T: Written>(&mut self, name: &str) -> Option<String> {
        self.ask(name, true, || T::rules());
        self.trimmed(name, LONGEST, false)
    }

    /// A value of up to `max` characters that a change sets, clears or keeps; `None` if it is invalid. An empty text clears
    /// it; null does not, because a program that sends null for what it does not know would empty it.
    pub fn patch<T: Written>(&mut self, name: &str, max: usize) -> Option<Patch<T>> {
        self.ask(name, false, || {
            let mut rules = T::rules();
            if let (Value::Object(rules), Value::Object(more)) =
                (&mut rules, json!({ "type": "string", "maxLength": max }))
            {
                rules.extend(more);
            }
            rules
        });
        if !self.values.contains_key(name) {
            return Some(Patch::Keep);
        }
        let text = self.trimmed(name, max, true)?;
        if text.is_empty() {
            return Some(Patch::Clear);
        }
        self.parse(name, &text).map(Patch::Set)
    }

    /// A value that is sent as text, by older clients as `old_name`.
    pub fn renamed_value<T: Written>(&mut self, name: &str, old_name: &str) -> Option<T> {
        self.ask(name, true, || T::rules());
        self.ask(old_name, false, || T::rules());
        let is_old = !self.has(name) && self.has(old_name);
        let name = if is_old { old_name } else { name };
        let text = self.filled(name, LONGEST, Lines::One)?;
        self.parse(name, &text)
    }

    /// The text of a value that is there and not empty.
    fn valued(&mut self, name: &str) -> Option<String> {
        let text = self.trimmed(name, LONGEST, true)?;
        if text.is_empty() { self.fault(name, BLANK) } else { Some(text) }
    }

    fn parse<T: Written>(&mut self, name: &str, text: &str) -> Option<T> {
        T::parse(text).map_err(|sentence| self.faults.add(name, sentence)).ok()
    }
}

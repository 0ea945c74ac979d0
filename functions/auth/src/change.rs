//! A field that may be left out, emptied or filled.

use std::{fmt::Display, str::FromStr};

use shared::http::Fields;

/// What a caller wants done with a field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change<T> {
    /// It was not sent.
    Keep,
    /// It is null or empty.
    Clear,
    /// It has a value.
    Set(T),
}

impl<T> Change<T> {
    /// Reads a field of up to `max` characters, if it was sent; `None` if it cannot be read.
    pub(crate) fn read(fields: &mut Fields, name: &str, max: usize) -> Option<Self>
    where
        T: FromStr<Err: Display>,
    {
        if !fields.has(name) {
            return Some(Self::Keep);
        }
        let text = fields.text_or_empty(name, max)?;
        if text.is_empty() {
            return Some(Self::Clear);
        }
        match text.parse() {
            Ok(value) => Some(Self::Set(value)),
            Err(error) => {
                fields.faults.add(name, error.to_string());
                None
            }
        }
    }

    /// Whether something is to be done.
    pub(crate) fn is_wanted(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// The value, if there is to be one.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

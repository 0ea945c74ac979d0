//! A field of a change: left out, emptied or filled.

/// What the caller wants done with a field.
#[derive(Debug, PartialEq, Eq)]
pub enum Patch<T> {
    /// It was not sent.
    Keep,
    /// It is null or empty.
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    pub fn is_sent(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

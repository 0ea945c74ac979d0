//! A field of a partial update: not sent, cleared or set.

/// The change of a field.
#[derive(Debug, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field was not sent.
    Keep,
    /// The field is null or empty.
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    pub fn is_sent(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(change(value)),
        }
    }

    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

//! What nobody can guess, as Descope makes it.

use stand_in::random::{bytes, text};

/// An id: a prefix and 27 characters, of which the first tells the years.
pub(crate) fn id(prefix: &str) -> String {
    format!("{prefix}2{}", text::<26>())
}

/// A one-time code: six digits, of which the first may be 0.
pub(crate) fn code() -> String {
    format!("{:06}", u32::from_le_bytes(bytes()) % 1_000_000)
}

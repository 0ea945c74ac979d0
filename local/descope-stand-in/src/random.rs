//! Random ids and codes in Descope's format.

use stand_in::random::{bytes, text};

/// An id: a prefix and 27 characters. The first encodes the years, hence the fixed `2`.
pub(crate) fn id(prefix: &str) -> String {
    format!("{prefix}2{}", text::<26>())
}

/// A one-time code: six digits, with leading zeros.
pub(crate) fn code() -> String {
    format!("{:06}", u32::from_le_bytes(bytes()) % 1_000_000)
}

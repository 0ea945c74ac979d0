//! Random ids, which cannot be guessed.

use stand_in::random::{bytes, text};

/// An id in Razorpay's format: a prefix and 14 letters and digits.
pub(crate) fn id(prefix: &str) -> String {
    format!("{prefix}{}", text::<14>())
}

/// A number of `LENGTH` digits, such as the reference numbers of banks.
pub(crate) fn digits<const LENGTH: usize>() -> String {
    bytes::<LENGTH>().iter().map(|byte| char::from(b'0' + byte % 10)).collect()
}

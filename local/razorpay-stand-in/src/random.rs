//! Ids, as nobody can guess them.

use stand_in::random::{bytes, text};

/// An id as Razorpay makes them: a prefix and 14 letters and digits.
pub(crate) fn id(prefix: &str) -> String {
    format!("{prefix}{}", text::<14>())
}

/// So many digits, as banks number what they do.
pub(crate) fn digits<const LENGTH: usize>() -> String {
    bytes::<LENGTH>().iter().map(|byte| char::from(b'0' + byte % 10)).collect()
}

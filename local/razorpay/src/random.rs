//! Ids, as nobody can guess them.
#![expect(clippy::expect_used, reason = "a machine without randomness cannot run a stand-in either")]

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An id as Razorpay makes them: a prefix and 14 letters and digits.
pub(crate) fn id(prefix: &str) -> String {
    format!("{prefix}{}", text::<14>())
}

/// So many digits, as banks number what they do.
pub(crate) fn digits<const LENGTH: usize>() -> String {
    bytes::<LENGTH>().iter().map(|byte| char::from(b'0' + byte % 10)).collect()
}

fn text<const LENGTH: usize>() -> String {
    bytes::<LENGTH>()
        .iter()
        .filter_map(|byte| BASE_62.get(usize::from(*byte) % 62))
        .map(|byte| char::from(*byte))
        .collect()
}

fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

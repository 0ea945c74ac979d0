//! What nobody can guess: ids, codes, tokens and salts.
#![expect(clippy::expect_used, reason = "a machine without randomness cannot run a stand-in either")]

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random bytes.
pub(crate) fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// An id as Descope makes them: a prefix and 27 characters, of which the first tells the years.
pub(crate) fn id(prefix: &str) -> String {
    format!("{prefix}2{}", text::<26>())
}

/// So many letters and digits.
pub(crate) fn text<const LENGTH: usize>() -> String {
    bytes::<LENGTH>()
        .iter()
        .filter_map(|byte| BASE_62.get(usize::from(*byte) % 62))
        .map(|byte| char::from(*byte))
        .collect()
}

/// A one-time code: six digits, of which the first may be 0.
pub(crate) fn code() -> String {
    format!("{:06}", u32::from_le_bytes(bytes()) % 1_000_000)
}

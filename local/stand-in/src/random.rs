//! Cryptographically secure random values.
#![expect(clippy::expect_used, reason = "a machine without randomness cannot run a stand-in either")]

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random bytes.
///
/// # Panics
///
/// When the system has no randomness.
pub fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// Random letters and digits.
pub fn text<const LENGTH: usize>() -> String {
    bytes::<LENGTH>()
        .iter()
        .filter_map(|byte| BASE_62.get(usize::from(*byte) % 62))
        .map(|byte| char::from(*byte))
        .collect()
}

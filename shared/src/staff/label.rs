//! Labels of staff keys, and the hash that is stored of a key.

use sha2::{Digest, Sha256};

/// Whether a text is a valid label: 1 to 50 of letters, digits, spaces and `._-`. The prefix `user-` is reserved: the
/// timeline names signed-in users `user-7`.
pub(super) fn is_label(text: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || " ._-".contains(character);
    (1..=50).contains(&text.len()) && text.chars().all(is_allowed) && text.trim() == text && !text.starts_with("user-")
}

/// The stored hash of a key.
pub fn sha256(key: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn a_label_has_1_to_50_plain_characters_and_no_user_prefix() {
        for label in ["a", "Front desk 2", "import_v1.2-b", "user", &"x".repeat(50)] {
            assert!(is_label(label), "{label}");
        }
        for text in ["", " ", " a", "a ", "a\n", "a:b", "a,b", "é", "user-1", &"x".repeat(51)] {
            assert!(!is_label(text), "{text}");
        }
    }
}

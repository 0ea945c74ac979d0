//! The booking reference, which a customer reads out at the counter.

use crate::{Error, Result};

/// Crockford's base 32: digits and capitals without look-alikes.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new reference like `RMB-7K3QX-9ZD2A`: 50 random bits, against guessing and collisions.
pub(super) fn generate() -> Result<String> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let characters: Vec<char> = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).map(|character| char::from(*character)))
        .collect();
    let (first, second) = characters.split_at(5);
    Ok(format!("RMB-{}-{}", first.iter().collect::<String>(), second.iter().collect::<String>()))
}

/// The reference that a text means, in any spelling: case, hyphens and prefix do not matter, and look-alikes of digits are
/// those digits. `None` if the text is no reference.
pub fn normalized(text: &str) -> Option<String> {
    let mut letters: Vec<char> = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    if letters.len() == 13 && letters.iter().take(3).collect::<String>().eq_ignore_ascii_case("RMB") {
        letters.drain(..3);
    }
    let letter = |letter: char| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    };
    let letters: Vec<char> = letters.into_iter().map(letter).collect();
    let is_one = letters.len() == 10
        && letters.iter().all(|letter| u8::try_from(*letter).is_ok_and(|byte| ALPHABET.contains(&byte)));
    let (first, second) = is_one.then(|| letters.split_at(5))?;
    Some(format!("RMB-{}-{}", first.iter().collect::<String>(), second.iter().collect::<String>()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn a_reference_is_found_in_any_spelling() {
        for text in ["RMB-7K3QX-9ZD21", "rmb 7k3qx 9zd21", "7K3QX9ZD21", "rmb7k3qx9zd2l", " RMB–7K3QX–9ZD2I "] {
            assert_eq!(super::normalized(text).as_deref(), Some("RMB-7K3QX-9ZD21"), "{text}");
        }
        assert_eq!(super::normalized("rmb-oooOO-iIlL1").as_deref(), Some("RMB-00000-11111"));
        for text in ["", "RMB", "Honda", "9876543210x", "RMB-7K3QX-9ZD2U", "RMB-7K3QX-9ZD2"] {
            assert_eq!(super::normalized(text), None, "{text}");
        }
    }

    #[test]
    fn references_are_unique_and_share_one_format() {
        let references: HashSet<String> = (0..1000).map(|_| super::generate().unwrap()).collect();
        assert_eq!(references.len(), 1000);
        for reference in references {
            assert_eq!(reference.len(), 15);
            assert!(reference.starts_with("RMB-"));
        }
    }
}

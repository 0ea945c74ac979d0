//! The booking reference, which a customer reads out at the counter.

use crate::{Error, Result, text::is_decoration};

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

/// The reference that a text means, however it is spelt: in lower case, without hyphens or `RMB`, with look-alikes such as
/// O for 0. `None` if no reference is spelt so.
pub fn normalized(text: &str) -> Option<String> {
    let mut characters = String::with_capacity(16);
    for character in text.trim().chars() {
        match character.to_ascii_uppercase() {
            'A'..='Z' | '0'..='9' => characters.push(character.to_ascii_uppercase()),
            '.' | '_' => {}
            character if is_decoration(character) => {}
            _ => return None,
        }
    }
    let random = if characters.len() == 13 { characters.strip_prefix("RMB")? } else { &characters };
    let random = random.replace('O', "0").replace(['I', 'L'], "1");
    let is_random = random.len() == 10 && random.bytes().all(|byte| ALPHABET.contains(&byte));
    let (first, second) = random.split_at_checked(5)?;
    is_random.then(|| format!("RMB-{first}-{second}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::normalized;

    #[test]
    fn references_are_unique_and_share_one_format() {
        let references: HashSet<String> = (0..1000).map(|_| super::generate().unwrap()).collect();
        assert_eq!(references.len(), 1000);
        for reference in references {
            assert_eq!(reference.len(), 15);
            assert!(reference.starts_with("RMB-"));
        }
    }

    #[test]
    fn every_spelling_of_a_reference_means_the_same() {
        for text in [
            "RMB-7K3QX-9ZD01",
            "rmb-7k3qx-9zd01",
            " rmb 7k3qx 9zd01 ",
            "7K3QX-9ZD01",
            "7k3qx9zd01",
            "RMB7K3QX9ZD01",
            "RMB\u{2013}7K3QX\u{2013}9ZDOI",
            "7k3qx9zdol",
            "\u{202a}RMB\u{2011}7K3QX\u{2212}9ZD01\u{202c}",
            "rmb\u{2009}7k3qx\u{200b}9zd01",
        ] {
            assert_eq!(normalized(text).as_deref(), Some("RMB-7K3QX-9ZD01"), "{text}");
        }
    }

    #[test]
    fn a_reference_of_ten_characters_may_begin_like_the_prefix() {
        assert_eq!(normalized("RMB123ABCD").as_deref(), Some("RMB-RMB12-3ABCD"));
        assert_eq!(normalized("RMB-RMB12-3ABCD").as_deref(), Some("RMB-RMB12-3ABCD"));
    }

    #[test]
    fn other_texts_mean_no_reference() {
        for text in [
            "",
            "RMB",
            "7K3QX-9ZD0",
            "7K3QX-9ZD012",
            "XYZ-7K3QX-9ZD01",
            "7K3QX-9ZDU1",
            "7K3QX/9ZD01",
            "गाड़ी",
            "é".repeat(5).as_str(),
        ] {
            assert_eq!(normalized(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_generated_means_itself_in_lower_case_too(_ in 0..50) {
            let reference = super::generate().unwrap();
            prop_assert_eq!(normalized(&reference.to_lowercase()), Some(reference));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = normalized(&text);
        }
    }
}

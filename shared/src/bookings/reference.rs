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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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

//! Staff keys from the setting `STAFF_API_KEYS`, deployed with the function.

use std::{fmt, str::FromStr, sync::Arc};

use subtle::ConstantTimeEq;

use super::label::{is_label, sha256};

/// Shorter keys could be guessed. 15 is the length of the key of a local system, `local-staff-key`; `migrate` makes longer
/// ones.
const LEAST_LENGTH: usize = 15;

/// Staff keys by label; only their hashes stay in memory.
#[derive(Clone, Default)]
pub struct ConfiguredKeys(Arc<[(String, [u8; 32])]>);

impl ConfiguredKeys {
    /// Compares with every key in constant time, so that timing reveals nothing about the keys.
    pub(super) fn label_of(&self, key_sha256: &[u8; 32]) -> Option<&str> {
        let mut found = None;
        for (label, known) in self.0.iter() {
            if known.ct_eq(key_sha256).into() {
                found = Some(label.as_str());
            }
        }
        found
    }
}

impl fmt::Debug for ConfiguredKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(label, _)| label)).finish()
    }
}

/// The list of staff keys is malformed. Its text is not shown, because it may contain keys.
#[derive(Debug, thiserror::Error)]
#[error("write staff keys as label:key,label:key, each key of {LEAST_LENGTH} characters or more")]
pub struct NotKeys;

impl FromStr for ConfiguredKeys {
    type Err = NotKeys;

    /// Parses `label:key,label:key`. A label may have several keys during a rotation.
    fn from_str(text: &str) -> Result<Self, NotKeys> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let keys = items.map(|item| {
            let (label, key) = item.split_once(':').ok_or(NotKeys)?;
            let (label, key) = (label.trim(), key.trim());
            let is_long = key.chars().count() >= LEAST_LENGTH;
            if is_label(label) && is_long { Ok((label.to_owned(), sha256(key))) } else { Err(NotKeys) }
        });
        Ok(Self(keys.collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfiguredKeys, sha256};

    #[test]
    fn several_keys_are_told_apart_by_their_labels() {
        let text = " front desk:abc-of-the-desk-1 , import.2026:d:e-of-the-import, front desk:new-key-of-the-desk,";
        let keys: ConfiguredKeys = text.parse().unwrap();
        for (key, label) in [
            ("abc-of-the-desk-1", Some("front desk")),
            ("d:e-of-the-import", Some("import.2026")),
            ("new-key-of-the-desk", Some("front desk")),
            ("", None),
            ("abc-of-the-desk-", None),
            ("abc-of-the-desk-1,d:e-of-the-import", None),
            ("front desk:abc-of-the-desk-1", None),
        ] {
            assert_eq!(keys.label_of(&sha256(key)), label, "{key}");
        }
        assert_eq!(ConfiguredKeys::default().label_of(&sha256("")), None);
    }

    #[test]
    fn malformed_keys_are_refused() {
        for text in ["abc", ":abc", "label:", "label: ", "läbel:abc", "a:b,c", "user-1:abc"] {
            assert!(text.replace("abc", "a-key-that-is-long").parse::<ConfiguredKeys>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        assert!("local:local-staff-key".parse::<ConfiguredKeys>().is_ok());
        assert!("local:local-staff-ke".parse::<ConfiguredKeys>().is_err());
        assert!("local:local-staff-key,desk:1234".parse::<ConfiguredKeys>().is_err());
    }

    #[test]
    fn a_key_does_not_show_in_debug_output() {
        let keys: ConfiguredKeys = "desk:secret-of-the-desk".parse().unwrap();
        assert_eq!(format!("{keys:?}"), r#"["desk"]"#);
    }
}

//! Staff keys from the setting `STAFF_API_KEYS`, deployed with the function.

use std::{fmt, str::FromStr, sync::Arc};

use subtle::ConstantTimeEq;

use super::label::{is_label, sha256};

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
#[error("write staff keys as label:key,label:key")]
pub struct NotKeys;

impl FromStr for ConfiguredKeys {
    type Err = NotKeys;

    /// Parses `label:key,label:key`. A label may have several keys during a rotation.
    fn from_str(text: &str) -> Result<Self, NotKeys> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let keys = items.map(|item| {
            let (label, key) = item.split_once(':').ok_or(NotKeys)?;
            let (label, key) = (label.trim(), key.trim());
            if is_label(label) && !key.is_empty() { Ok((label.to_owned(), sha256(key))) } else { Err(NotKeys) }
        });
        Ok(Self(keys.collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfiguredKeys, sha256};

    #[test]
    fn several_keys_are_told_apart_by_their_labels() {
        let keys: ConfiguredKeys = " front desk:abc , import.2026:d:e, front desk:new,".parse().unwrap();
        for (key, label) in [
            ("abc", Some("front desk")),
            ("d:e", Some("import.2026")),
            ("new", Some("front desk")),
            ("", None),
            ("ab", None),
            ("abc,d:e", None),
            ("front desk:abc", None),
        ] {
            assert_eq!(keys.label_of(&sha256(key)), label, "{key}");
        }
        assert_eq!(ConfiguredKeys::default().label_of(&sha256("")), None);
    }

    #[test]
    fn malformed_keys_are_refused() {
        for text in ["abc", ":abc", "label:", "label: ", "läbel:abc", "a:b,c", "user-1:abc"] {
            assert!(text.parse::<ConfiguredKeys>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_does_not_show_in_debug_output() {
        let keys: ConfiguredKeys = "desk:secret".parse().unwrap();
        assert_eq!(format!("{keys:?}"), r#"["desk"]"#);
    }
}

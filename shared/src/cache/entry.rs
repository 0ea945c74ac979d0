//! An entry of the cache, as it is found in Redis.

use axum::body::Bytes;

/// The state of an entry in Redis.
pub(super) enum CacheEntry {
    /// The bytes of the entry, made from the current version.
    Current(Bytes),
    /// No entry of the current version.
    Missing {
        /// The version, if Redis holds one.
        version: Option<i64>,
        /// Another caller is loading the entry.
        is_loading: bool,
    },
    /// The catalogue is being changed: data that is loaded now must not be cached.
    Changing,
}

impl CacheEntry {
    pub(super) fn new(version: Option<String>, entry: Option<Vec<u8>>, is_loading: bool) -> Self {
        let Some(version) = version else {
            return Self::Missing { version: None, is_loading };
        };
        let Ok(number) = version.parse() else {
            return Self::Changing;
        };
        let of_this_version = |entry: Vec<u8>| {
            let start = version.len() + 1;
            let is_current = entry.starts_with(version.as_bytes()) && entry.get(version.len()) == Some(&b'\n');
            is_current.then(|| Bytes::from(entry).slice(start..))
        };
        entry.and_then(of_this_version).map_or(Self::Missing { version: Some(number), is_loading }, Self::Current)
    }
}

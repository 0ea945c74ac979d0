//! Timestamps in JSON: RFC 3339 with microseconds and offset, `2026-11-22T09:00:00.000000+00:00`.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a timestamp; for `#[serde(with)]`.
pub fn serialize<S: Serializer>(moment: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::Micros, false))
}

/// Writes a timestamp that may be missing; for `#[serde(serialize_with)]`.
pub fn serialize_if_any<S: Serializer>(moment: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => serialize(moment, serializer),
        None => serializer.serialize_none(),
    }
}

/// Reads a timestamp with any offset; for `#[serde(with)]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    DateTime::deserialize(deserializer)
}

//! Keys of the staff: made, revoked, listed. A key is told once, to whoever has it made; only its hash is kept.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::keys::{is_label, sha256};
use crate::database::Database;

/// A key that was added.
#[derive(PartialEq, Eq, Serialize)]
pub struct Added {
    /// Whose it is.
    pub label: String,
    /// The key, if it was made here. Nobody learns it later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl fmt::Debug for Added {
    // A key does not belong into a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Added").field("label", &self.label).finish_non_exhaustive()
    }
}

/// A key that opens nothing any more.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Revoked {
    /// Whose it was.
    pub label: String,
    /// Since when.
    #[serde(with = "crate::http::time")]
    pub revoked_at: DateTime<Utc>,
}

/// A key as it is listed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Whose it is.
    pub label: String,
    /// When it was added.
    #[serde(with = "crate::http::time")]
    pub created_at: DateTime<Utc>,
    /// When it was revoked, in the form of `created_at`.
    pub revoked_at: Option<String>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Keys cannot be called so.
    #[error(
        "label: write 1 to 50 letters, digits, spaces, dots, underscores and hyphens; it must not start with \"user-\""
    )]
    Label,
    /// It is no hash.
    #[error("key_sha256: write the SHA-256 of the key as 64 hexadecimal digits")]
    Hash,
    /// The label would stand for two keys.
    #[error("a key with this label is in use: choose another label, or revoke that key first")]
    LabelInUse,
    /// The key is there already, perhaps under another label, perhaps revoked.
    #[error("this key has been added before")]
    KnownKey,
    /// Nothing was ever called so.
    #[error("no key has this label")]
    UnknownLabel,
    /// The operating system gave no random bits.
    #[error("no key was made: {0}")]
    Random(getrandom::Error),
    /// The database is away.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Adds a key that was made elsewhere and of which only the hash is told, or makes one of 256 random bits.
pub async fn add(database: &Database, label: String, key_sha256: Option<&str>) -> Result<Added, Error> {
    if !is_label(&label) {
        return Err(Error::Label);
    }
    let (key, key_sha256) = if let Some(digits) = key_sha256 {
        (None, decode(digits)?)
    } else {
        let key = generate()?;
        let key_sha256 = sha256(&key);
        (Some(key), key_sha256)
    };
    sqlx::query!("insert into staff_keys (label, key_sha256) values ($1, $2)", label, &key_sha256)
        .execute(&database.pool())
        .await
        .map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
            Some("staff_keys_label_idx") => Error::LabelInUse,
            Some("staff_keys_key_sha256_key") => Error::KnownKey,
            _ => Error::Database(error),
        })?;
    Ok(Added { label, key })
}

/// Ends the key with this label, from the next request on. Repeated, it changes nothing.
pub async fn revoke(database: &Database, label: String) -> Result<Revoked, Error> {
    let revoked_at = sqlx::query_scalar!(
        r#"
        with revoked as (
            update staff_keys set revoked_at = now() where label = $1 and revoked_at is null returning revoked_at
        )
        select coalesce((select revoked_at from revoked), max(revoked_at)) from staff_keys where label = $1
        "#,
        label
    )
    .fetch_one(&database.pool())
    .await?;
    Ok(Revoked { label, revoked_at: revoked_at.ok_or(Error::UnknownLabel)? })
}

/// All keys there have been, oldest first.
pub async fn list(database: &Database) -> Result<Vec<Listed>, Error> {
    let keys = sqlx::query!("select label, created_at, revoked_at from staff_keys order by id")
        .fetch_all(&database.pool())
        .await?;
    let written = |moment: DateTime<Utc>| moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, false);
    let listed =
        |label, created_at, revoked_at: Option<_>| Listed { label, created_at, revoked_at: revoked_at.map(written) };
    Ok(keys.into_iter().map(|key| listed(key.label, key.created_at, key.revoked_at)).collect())
}

fn generate() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(hex::encode(bytes))
}

fn decode(digits: &str) -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| Error::Hash)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::Added;

    #[test]
    fn a_key_does_not_show_in_debug_output() {
        let added = Added { label: "desk".to_owned(), key: Some("secret".to_owned()) };
        assert_eq!(format!("{added:?}"), r#"Added { label: "desk", .. }"#);
    }
}

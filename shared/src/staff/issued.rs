//! Staff keys in the database: adding, revoking and listing, by an event of `migrate` or an administrator. A generated key
//! is shown once; only its hash is stored.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::label::{is_label, sha256};
use sqlx::PgConnection;

use crate::{
    database::Database,
    history::{self, Author},
    http::time,
    ids::StaffKeyId,
};

/// Result of [`add`].
#[derive(PartialEq, Eq, Serialize)]
pub struct Added {
    pub label: String,
    /// The key, if it was generated here. It cannot be retrieved later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl fmt::Debug for Added {
    // Keys must not be logged.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Added").field("label", &self.label).finish_non_exhaustive()
    }
}

/// Result of [`revoke`].
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Revoked {
    pub label: String,
    #[serde(with = "time")]
    pub revoked_at: DateTime<Utc>,
}

/// An entry of [`list`].
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct IssuedKey {
    pub id: StaffKeyId,
    pub label: String,
    #[serde(with = "time")]
    pub created_at: DateTime<Utc>,
    /// The actor who made it, as in the history; unknown for the oldest keys.
    pub created_by: Option<String>,
    /// The present name of that user.
    pub created_by_name: Option<String>,
    /// Noted once a minute.
    #[serde(serialize_with = "time::serialize_if_any")]
    pub last_used_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time::serialize_if_any")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Why a key was not added, revoked or listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "label: write 1 to 50 letters, digits, spaces, dots, underscores and hyphens; it must not start with \"user-\""
    )]
    Label,
    #[error("key_sha256: write the SHA-256 of the key as 64 hexadecimal digits")]
    Hash,
    #[error("a key with this label is in use: choose another label, or revoke that key first")]
    LabelInUse,
    /// The key exists, possibly under another label, possibly revoked.
    #[error("this key has been added before")]
    KnownKey,
    /// No key has this label, not even a revoked one.
    #[error("no key has this label")]
    UnknownLabel,
    /// The operating system returned no random bytes.
    #[error("no key was made: {0}")]
    Random(getrandom::Error),
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        let sentence = error.to_string();
        match error {
            Error::Label => Self::field("label", sentence.trim_start_matches("label: ")),
            Error::Hash => Self::field("key_sha256", sentence.trim_start_matches("key_sha256: ")),
            Error::LabelInUse => Self::conflict("label", &sentence),
            Error::KnownKey => Self::conflict("key_sha256", &sentence),
            Error::UnknownLabel => Self::NotFound("Staff key"),
            Error::Random(_) => Self::internal(sentence),
            Error::Database(error) => Self::Database(error),
        }
    }
}

/// Adds a key by its SHA-256, or generates one of 256 random bits.
pub async fn add(
    database: &Database,
    label: String,
    key_sha256: Option<&str>,
    author: &Author,
) -> Result<Added, Error> {
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
    let insert = async |connection: &mut PgConnection| {
        history::sign(connection, author).await?;
        sqlx::query!(
            "insert into staff_keys (label, key_sha256, created_by) values ($1, $2, $3)",
            label,
            &key_sha256,
            author.actor
        )
        .execute(connection)
        .await
        .map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
            Some("staff_keys_label_idx") => Error::LabelInUse,
            Some("staff_keys_key_sha256_key") => Error::KnownKey,
            _ => Error::Database(error),
        })
    };
    database.transaction(insert).await?;
    Ok(Added { label, key })
}

/// Revokes the key with this label, from the next request on. Idempotent.
pub async fn revoke(database: &Database, label: String, author: &Author) -> Result<Revoked, Error> {
    let revoke = async |connection: &mut PgConnection| {
        history::sign(connection, author).await?;
        sqlx::query_scalar!(
            r#"
            with revoked as (
                update staff_keys set revoked_at = now() where label = $1 and revoked_at is null returning revoked_at
            )
            select coalesce((select revoked_at from revoked), max(revoked_at)) from staff_keys where label = $1
            "#,
            label
        )
        .fetch_one(connection)
        .await
    };
    let revoked_at = database.transaction(revoke).await?;
    Ok(Revoked { label, revoked_at: revoked_at.ok_or(Error::UnknownLabel)? })
}

/// [`revoke`] for the key with this id.
pub async fn end(database: &Database, id: StaffKeyId, author: &Author) -> Result<Revoked, Error> {
    let end = async |connection: &mut PgConnection| {
        history::sign(connection, author).await?;
        sqlx::query!(
            r#"
            with ended as (
                update staff_keys set revoked_at = now() where id = $1 and revoked_at is null returning revoked_at
            )
            select label, coalesce((select revoked_at from ended), revoked_at) as "revoked_at!" from staff_keys where id = $1
            "#,
            id.0
        )
        .fetch_optional(connection)
        .await
    };
    let ended = database.transaction(end).await?.ok_or(Error::UnknownLabel)?;
    Ok(Revoked { label: ended.label, revoked_at: ended.revoked_at })
}

/// All keys, revoked ones included, oldest first.
pub async fn list(database: &Database) -> Result<Vec<IssuedKey>, Error> {
    let keys = sqlx::query_as!(
        IssuedKey,
        "select id, label, created_at, created_by, name_of_actor(created_by) as created_by_name, last_used_at, revoked_at
        from staff_keys order by id"
    );
    Ok(keys.fetch_all(&database.pool()).await?)
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

//! Staff keys in `X-API-Key`: of the settings, or of the table `staff_keys`.

use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use lambda_http::http::{HeaderName, request::Parts};
use sha2::{Digest, Sha256};

use super::configured::ConfiguredKeys;
use crate::{
    Error, Result,
    config::{self, Live, Settings},
    database::Database,
    http::ClientAddress,
    throttle::{Limit, Throttle},
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What tells a staff key from a wrong one.
#[derive(Clone, Debug)]
pub struct StaffKeys {
    /// Keys that were deployed with the function.
    pub configured: Live<ConfiguredKeys>,
    /// Where the others are kept.
    pub database: Database,
    /// What counts wrong keys.
    pub throttle: Throttle,
    /// How many one address may send.
    pub wrong_keys: Limit,
}

impl StaffKeys {
    /// Reads `STAFF_API_KEYS` and `THROTTLE_WRONG_STAFF_KEYS` (ten minutes).
    pub fn from_settings(settings: &Settings, database: Database, throttle: Throttle) -> Result<Self, config::Error> {
        let wrong = config::THROTTLE_WRONG_STAFF_KEYS;
        Ok(Self {
            configured: settings.live(|values| values.or_default(config::STAFF_API_KEYS, ConfiguredKeys::default()))?,
            database,
            throttle,
            wrong_keys: Limit::from_env("wrong-staff-keys", wrong, 20, Duration::from_mins(10))?,
        })
    }

    /// Whose key this is. Once an address has sent too many wrong ones, none from there is looked at for a while: the
    /// answer must not tell whether the next guess was right. Right keys are not counted, however many come at once.
    async fn identify(&self, key: &[u8], address: &str) -> Result<StaffKey> {
        let wrong = [self.wrong_keys.on(address)];
        self.throttle.peek(&wrong).await?;
        if let Some(label) = self.label_of(key).await? {
            return Ok(StaffKey { label });
        }
        self.throttle.check(&wrong).await?;
        Err(Error::ApiKeyInvalid)
    }

    async fn label_of(&self, key: &[u8]) -> Result<Option<String>> {
        let key_sha256 = sha256(key);
        let configured = self.configured.get()?;
        if let Some(label) = configured.label_of(&key_sha256) {
            return Ok(Some(label.to_owned()));
        }
        let label = |pool| async move {
            sqlx::query_scalar!(
                "select label from staff_keys where key_sha256 = $1 and revoked_at is null",
                key_sha256.as_slice()
            )
            .fetch_optional(&pool)
            .await
        };
        if let Some(label) = self.database.read(label).await? {
            return Ok(Some(label));
        }
        // It may be newer than those that we know.
        let newer = self.configured.instead_of(&configured).await;
        Ok(newer.and_then(|newer| newer.label_of(&key_sha256).map(ToOwned::to_owned)))
    }
}

/// A staff key that was sent and is valid. As an optional extractor it is `None` if no key was sent, and 403 if one was
/// sent that is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffKey {
    /// Whose it is.
    pub label: String,
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for StaffKey
where
    StaffKeys: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>> {
        let address = ClientAddress::from_request_parts(parts, state).await?;
        let key = parts.headers.get(API_KEY).map(|key| key.as_bytes().trim_ascii());
        // A client that has none may send the header all the same.
        let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(None) };
        StaffKeys::from_ref(state).identify(key, &address.0).await.map(Some)
    }
}

/// Whether keys may be called so: 1 to 50 of letters, digits, spaces and `._-`. What a timeline calls a user who is
/// signed in, `user-7`, is no label.
pub(super) fn is_label(text: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || " ._-".contains(character);
    (1..=50).contains(&text.len()) && text.chars().all(is_allowed) && text.trim() == text && !text.starts_with("user-")
}

/// What is kept of a key.
pub fn sha256(key: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn a_label_is_short_plain_and_nobody_s_account() {
        for label in ["a", "Front desk 2", "import_v1.2-b", "user", &"x".repeat(50)] {
            assert!(is_label(label), "{label}");
        }
        for text in ["", " ", " a", "a ", "a\n", "a:b", "a,b", "é", "user-1", &"x".repeat(51)] {
            assert!(!is_label(text), "{text}");
        }
    }
}

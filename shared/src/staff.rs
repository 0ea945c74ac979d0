//! Who works in the shop: by a staff key, or signed in as a user with a staff role.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use lambda_http::http::{HeaderName, request::Parts};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    Error, Result,
    bookings::Actor,
    config::{self, Live, Settings},
    database::Database,
    http::ClientAddress,
    session::{Session, Sessions},
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

/// Keys that were deployed with the function, by label; only their hashes stay in memory.
#[derive(Clone, Default)]
pub struct ConfiguredKeys(Arc<[(String, [u8; 32])]>);

impl ConfiguredKeys {
    /// Looks at every key, so that the time tells nothing about them.
    fn label_of(&self, key_sha256: &[u8; 32]) -> Option<&str> {
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

/// A text that is no list of staff keys. It is not shown: it may hold some.
#[derive(Debug, thiserror::Error)]
#[error("write staff keys as label:key,label:key")]
pub struct NotKeys;

impl FromStr for ConfiguredKeys {
    type Err = NotKeys;

    /// Reads `label:key,label:key`. A label may stand before several keys while one takes another's place.
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

/// Whether keys may be called so: 1 to 50 of letters, digits, spaces and `._-`. What a timeline calls a user who is
/// signed in, `user-7`, is no label.
pub fn is_label(text: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || " ._-".contains(character);
    (1..=50).contains(&text.len()) && text.chars().all(is_allowed) && text.trim() == text && !text.starts_with("user-")
}

/// What is kept of a key.
pub fn sha256(key: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(key).into()
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

/// Somebody of the shop. As an extractor it answers 403 without a valid key and without the session of a user who works
/// there. Whatever is sent must be valid; if both are, it is the key that the timeline names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The label of the key, or `user-<id>`.
    pub label: String,
}

impl Staff {
    /// Who changes a booking, as its timeline names them.
    pub fn actor(&self) -> Actor {
        Actor::Staff(self.label.clone())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff
where
    StaffKeys: FromRef<S>,
    Sessions: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let key = <StaffKey as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        let session = <Session as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        match (key, session) {
            (Some(key), _) => Ok(Self { label: key.label }),
            (None, Some(session)) if session.user.is_staff() => Ok(Self { label: format!("user-{}", session.user.id) }),
            (None, Some(_)) => Err(Error::PermissionDenied),
            (None, None) => Err(Error::ApiKeyInvalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfiguredKeys, is_label, sha256};

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
    fn keys_that_cannot_be_read_stop_the_function_at_its_start() {
        for text in ["abc", ":abc", "label:", "label: ", "läbel:abc", "a:b,c", "user-1:abc"] {
            assert!(text.parse::<ConfiguredKeys>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_does_not_show_in_debug_output() {
        let keys: ConfiguredKeys = "desk:secret".parse().unwrap();
        assert_eq!(format!("{keys:?}"), r#"["desk"]"#);
    }

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

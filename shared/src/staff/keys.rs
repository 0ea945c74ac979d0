//! Authentication by staff key in `X-API-Key`: a key from the settings or from the table `staff_keys`.

use std::{sync::Arc, time::Duration};

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use lambda_http::http::{HeaderName, request::Parts};

use super::{configured::ConfiguredKeys, label::sha256};
use crate::{
    Error, Result,
    config::{self, Live, Settings},
    database::Database,
    http::ClientAddress,
    logging::name_actor,
    throttle::{Limit, Throttle},
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Dependencies of the check of staff keys.
#[derive(Clone, Debug)]
pub struct StaffKeys {
    /// Keys from the settings.
    pub configured: Live<ConfiguredKeys>,
    pub database: Database,
    pub throttle: Throttle,
    /// Wrong keys from one IP address.
    pub wrong_keys: Limit,
}

impl StaffKeys {
    /// Reads `STAFF_API_KEYS` and `THROTTLE_WRONG_STAFF_KEYS` (per ten minutes).
    pub fn from_settings(settings: &Settings, database: Database, throttle: Throttle) -> Result<Self, config::Error> {
        let wrong = config::THROTTLE_WRONG_STAFF_KEYS;
        Ok(Self {
            configured: settings.live(|values| values.or_default(config::STAFF_API_KEYS, ConfiguredKeys::default()))?,
            database,
            throttle,
            wrong_keys: Limit::from_env("wrong-staff-keys", wrong, 20, Duration::from_mins(10))?,
        })
    }

    /// Finds the label of a key. An IP address over the limit of wrong keys is refused before its key is checked: the
    /// answer must not reveal whether the next guess was right. Right keys are not counted, even many at once.
    async fn identify(&self, key: &[u8], address: &str) -> Result<StaffKey> {
        let key_sha256 = sha256(key);
        let wrong = self.wrong_keys.on(address);
        let configured = self.configured.get()?;
        let label = if let Some(label) = configured.label_of(&key_sha256) {
            self.throttle.peek(&[wrong]).await?;
            Some(label.to_owned())
        } else {
            let look_up = self.label_of(&key_sha256, &configured);
            self.throttle.guess(wrong, &hex::encode(key_sha256), look_up, Option::is_some).await?
        };
        let label = label.ok_or(Error::ApiKeyInvalid)?;
        name_actor(format_args!("staff:{label}"));
        Ok(StaffKey { label })
    }

    /// The label of a key that the settings in memory do not have. Notes at most once a minute that a key of the database
    /// was used.
    async fn label_of(&self, key_sha256: &[u8; 32], configured: &Arc<ConfiguredKeys>) -> Result<Option<String>> {
        let label = |pool| async move {
            sqlx::query_scalar!(
                "
                with used as (
                    update staff_keys set last_used_at = now()
                    where key_sha256 = $1 and revoked_at is null
                        and (last_used_at is null or last_used_at < now() - interval '1 minute')
                )
                select label from staff_keys where key_sha256 = $1 and revoked_at is null
                ",
                key_sha256.as_slice()
            )
            .fetch_optional(&pool)
            .await
        };
        if let Some(label) = self.database.read(label).await? {
            return Ok(Some(label));
        }
        // The key may be newer than the settings in memory.
        let newer = self.configured.instead_of(configured).await;
        Ok(newer.and_then(|newer| newer.label_of(key_sha256).map(ToOwned::to_owned)))
    }
}

/// A valid staff key. The optional extractor is `None` without a key, and answers 403 to an invalid one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffKey {
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
        // Clients without a key may send an empty header.
        let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(None) };
        StaffKeys::from_ref(state).identify(key, &address.0).await.map(Some)
    }
}

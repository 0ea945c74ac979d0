//! The catalogue as ready-made bytes in Redis: one round trip when warm, Postgres when not, never a stale price.
//!
//! Every entry carries the version of the catalogue that it was made from, and is only good together with that version
//! as Redis tells it in the same round trip. A change of the catalogue sets the version to [`CHANGING`] before it
//! commits and to the new number after: from the first moment on nothing older is served, wherever the change is killed.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts};
use redis::Pipeline;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::PgPool;
use tracing::warn;

use crate::{
    Error, Result,
    config::{self, Settings},
    database::Database,
    http::{ClientAddress, Envelope, Paged, Paging, Query, Read, etag, not_modified},
    metrics::{self, Count},
    redis::{self as link, Redis},
    throttle::{Limit, Throttle, verdict},
};

/// One hour: types, brands, models, categories, services, shop.
pub const HOUR: Duration = Duration::from_hours(1);
/// Half an hour: prices.
pub const HALF_HOUR: Duration = Duration::from_mins(30);

const VERSION: &str = "catalogue:version";
/// Stands in place of the version while a change is being committed.
const CHANGING: &str = "changing";
/// Longer than any change takes and than any reader that began before it lives; then the next reader asks Postgres.
const CHANGE_TIMEOUT: Duration = Duration::from_mins(1);
/// Whoever loads an entry has this long before another may.
const LOAD_TIMEOUT: Duration = Duration::from_secs(3);
/// How often, and at most how many times, the others look whether it is there.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const LOOKS: usize = 100;

const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=60, stale-while-revalidate=600");

/// Serves public reads of the catalogue and the shop.
#[derive(Clone, Debug)]
pub struct Cache {
    redis: Redis,
    database: Database,
    throttle: Throttle,
    limit: Limit,
}

/// A public read: who asks, which page, and what they hold already. No credential is looked at.
#[derive(Debug)]
pub struct Asked<F = ()> {
    /// What the list is filtered by.
    pub filter: F,
    address: ClientAddress,
    paging: Option<Paging>,
    headers: HeaderMap,
    uri: Uri,
}

impl<S: Send + Sync, F: Read> FromRequestParts<S> for Asked<F> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let address = ClientAddress::from_request_parts(parts, state).await?;
        let Query((filter, paging)) = Query::from_request_parts(parts, state).await?;
        Ok(Self {
            filter,
            address,
            paging,
            headers: parts.headers.clone(),
            uri: parts
                .extensions
                .get::<axum::extract::OriginalUri>()
                .map_or_else(|| parts.uri.clone(), |original| original.0.clone()),
        })
    }
}

impl Cache {
    /// A cache in Redis, in front of this database, for callers who are held to the limit of public reads.
    pub fn from_settings(settings: &Settings, database: Database) -> Result<Self, config::Error> {
        let redis = Redis::from_settings(settings)?;
        let throttle = Throttle::from_env(redis.clone());
        Ok(Self::new(redis, database, throttle, Limit::public_reads()?))
    }

    /// A cache in front of this database, for callers who are held to this limit.
    pub fn new(redis: Redis, database: Database, throttle: Throttle, limit: Limit) -> Self {
        Self { redis, database, throttle, limit }
    }

    /// Answers with the list that `load` finds, kept under `key` for `lifetime`.
    pub async fn list<T: Serialize, F>(
        &self,
        asked: Asked<F>,
        key: &str,
        lifetime: Duration,
        message: &str,
        load: impl AsyncFnOnce(PgPool) -> sqlx::Result<Vec<T>>,
    ) -> Result<Response> {
        let load = async |pool| Ok(Envelope::new(message, load(pool).await?));
        let body = self.read(&asked.address, key, lifetime, load).await?;
        let Some(paging) = asked.paging else {
            return Ok(answer(&asked.headers, body));
        };
        let whole: Whole<'_> = serde_json::from_slice(&body).map_err(Error::internal)?;
        let page = Paged::cut(whole.message, whole.data, paging, &asked.uri);
        let bytes = serde_json::to_vec(&page).map_err(Error::internal)?;
        Ok(answer(&asked.headers, Bytes::from(bytes)))
    }

    /// Answers with the one item that `load` finds, kept under `key` for `lifetime`; 404 if there is none.
    pub async fn item<T: Serialize>(
        &self,
        asked: Asked,
        key: &str,
        lifetime: Duration,
        (name, message): (&'static str, &str),
        load: impl AsyncFnOnce(PgPool) -> sqlx::Result<Option<T>>,
    ) -> Result<Response> {
        let load = async |pool| {
            let item = load(pool).await?.ok_or(Error::NotFound(name))?;
            Ok(Envelope::new(message, item))
        };
        Ok(answer(&asked.headers, self.read(&asked.address, key, lifetime, load).await?))
    }

    async fn read<T: Serialize>(
        &self,
        address: &ClientAddress,
        key: &str,
        lifetime: Duration,
        load: impl AsyncFnOnce(PgPool) -> Result<Envelope<T>>,
    ) -> Result<Bytes> {
        let load = async || {
            metrics::count(Count::CacheMisses);
            let envelope = load(self.database.pool()).await?;
            serde_json::to_vec(&envelope).map(Bytes::from).map_err(Error::internal)
        };
        let version = match self.look(key, Some(address)).await {
            Ok((wait, found)) => {
                verdict(wait)?;
                match found {
                    Found::Entry(body) => {
                        metrics::count(Count::CacheHits);
                        return Ok(body);
                    }
                    Found::Changing => return load().await,
                    Found::Nothing { version, .. } => version,
                }
            }
            Err(error) => {
                warn!(%error, "catalogue read without its cache");
                return load().await;
            }
        };
        if !self.may_load(key).await {
            for _ in 0..LOOKS {
                tokio::time::sleep(LOOK_AGAIN).await;
                match self.look(key, None).await {
                    Ok((_, Found::Entry(body))) => return Ok(body),
                    Ok((_, Found::Nothing { is_loading: true, .. })) => {}
                    // Whoever loaded found nothing to keep, or what is kept could be old.
                    Ok((_, Found::Nothing { .. } | Found::Changing)) | Err(_) => break,
                }
            }
            return load().await;
        }
        let loaded = async {
            // The version first: whatever is loaded after it is at least as new.
            let version = match version {
                Some(version) => version,
                None => self.learn_version().await?,
            };
            Ok((version, load().await?))
        }
        .await;
        self.keep(key, loaded.as_ref().ok(), lifetime).await;
        loaded.map(|(_, body)| body)
    }

    /// Version and entry, and the milliseconds that the caller has to wait, in one round trip.
    async fn look(&self, key: &str, address: Option<&ClientAddress>) -> Result<(u64, Found), link::Error> {
        let mut commands = Pipeline::new();
        let claim = address.map(|address| self.limit.on(&address.0));
        let is_throttled = claim.is_some_and(|claim| self.throttle.append(&mut commands, &[claim]));
        commands.cmd("MGET").arg(self.redis.key(VERSION)).arg(self.entry(key)).arg(self.lock(key));
        let (wait, (version, entry, lock)): (u64, (_, _, Option<String>)) = if is_throttled {
            self.redis.run(&commands).await?
        } else {
            let (found,) = self.redis.run(&commands).await?;
            (0, found)
        };
        Ok((wait, Found::new(version, entry, lock.is_some())))
    }

    /// Asks Postgres for the version and tells Redis, unless somebody was faster or is changing the catalogue.
    async fn learn_version(&self) -> Result<i64> {
        let version = current_version(&self.database.pool()).await?;
        let mut commands = Pipeline::new();
        commands.cmd("SET").arg(self.redis.key(VERSION)).arg(version).arg("NX").arg("EX").arg(HOUR.as_secs()).ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "catalogue version not kept");
        }
        Ok(version)
    }

    /// Whether this caller is the one that loads the entry.
    async fn may_load(&self, key: &str) -> bool {
        let mut commands = Pipeline::new();
        commands.cmd("SET").arg(self.lock(key)).arg(1).arg("NX").arg("PX").arg(milliseconds(LOAD_TIMEOUT));
        // Without an answer everybody loads: slower, but nobody waits for a loader that is not there.
        self.redis.run::<(Option<String>,)>(&commands).await.map_or(true, |(taken,)| taken.is_some())
    }

    /// Keeps what was loaded, if anything was, and lets others load again.
    async fn keep(&self, key: &str, loaded: Option<&(i64, Bytes)>, lifetime: Duration) {
        let mut commands = Pipeline::new();
        if let Some((version, body)) = loaded {
            let mut entry = format!("{version}\n").into_bytes();
            entry.extend_from_slice(body);
            commands.cmd("SET").arg(self.entry(key)).arg(entry).arg("EX").arg(lifetime.as_secs()).ignore();
        }
        commands.cmd("DEL").arg(self.lock(key)).ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "catalogue entry not kept");
        }
    }

    fn entry(&self, key: &str) -> String {
        self.redis.key(&format!("catalogue:entry:{key}"))
    }

    fn lock(&self, key: &str) -> String {
        self.redis.key(&format!("catalogue:lock:{key}"))
    }
}

/// What one look into Redis shows.
enum Found {
    /// The bytes of an entry of the current version.
    Entry(Bytes),
    /// No entry of the current version.
    Nothing {
        /// The version, if Redis holds it.
        version: Option<i64>,
        /// Somebody is loading the entry.
        is_loading: bool,
    },
    /// The catalogue is being changed: what is loaded now must not be kept.
    Changing,
}

impl Found {
    fn new(version: Option<String>, entry: Option<Vec<u8>>, is_loading: bool) -> Self {
        let Some(version) = version else {
            return Self::Nothing { version: None, is_loading };
        };
        let Ok(number) = version.parse() else {
            return Self::Changing;
        };
        let of_this_version = |entry: Vec<u8>| {
            let start = version.len() + 1;
            let is_current = entry.starts_with(version.as_bytes()) && entry.get(version.len()) == Some(&b'\n');
            is_current.then(|| Bytes::from(entry).slice(start..))
        };
        entry.and_then(of_this_version).map_or(Self::Nothing { version: Some(number), is_loading }, Self::Entry)
    }
}

/// A cached list, its items uninterpreted.
#[derive(Deserialize)]
struct Whole<'a> {
    message: String,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

/// Makes all that is cached unreachable until [`publish_change`]. Without Redis a change has to wait: prices that it
/// replaces could otherwise come back with Redis.
pub async fn announce_change(redis: &Redis) -> Result<(), link::Error> {
    set_version(redis, CHANGING, CHANGE_TIMEOUT).await
}

/// Names the version that now holds. If this fails, readers learn it from Postgres a little later.
pub async fn publish_change(redis: &Redis, version: i64) -> Result<(), link::Error> {
    set_version(redis, version, HOUR).await
}

async fn set_version(redis: &Redis, version: impl redis::ToRedisArgs, lifetime: Duration) -> Result<(), link::Error> {
    let mut commands = Pipeline::new();
    commands.cmd("SET").arg(redis.key(VERSION)).arg(version).arg("PX").arg(milliseconds(lifetime)).ignore();
    redis.run(&commands).await
}

async fn current_version(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!("select version from catalogue_versions").fetch_one(pool).await
}

fn answer(headers: &HeaderMap, body: Bytes) -> Response {
    let etag = etag(&body);
    let mut response = if not_modified(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE_CONTROL);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

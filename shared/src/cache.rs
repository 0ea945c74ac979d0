//! Read-through cache of the catalogue: ready answers in Redis, one round trip on a hit, Postgres on a miss, never a stale
//! price.
//!
//! Every entry carries the version of the catalogue that it was made from, and is valid only while Redis holds the same
//! version, which is read in the same round trip. A change of the catalogue sets the version to `changing` before it
//! commits and to the new number after it: no older entry is served from then on, even if the change is killed halfway.

mod entry;
mod version;

use std::time::Duration;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderValue, StatusCode, Uri, header, request::Parts};
use redis::Pipeline;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::PgPool;
use tracing::warn;

pub use version::{announce_change, publish_change};

use self::{
    entry::{CacheEntry, Coding, Ready},
    version::{VERSION, current_version, milliseconds},
};
use crate::{
    Error, Result,
    config::{self, Settings},
    database::Database,
    http::{ClientAddress, Envelope, Paged, Paging, Query, Read, not_modified, takes_gzip},
    metrics::{self, Count},
    redis::{self as link, Redis},
    throttle::{Attempt, Limit, Throttle},
};

/// Lifetime of types, brands, models, categories, services and the shop.
pub const HOUR: Duration = Duration::from_hours(1);
/// Lifetime of prices.
pub const HALF_HOUR: Duration = Duration::from_mins(30);

/// Lease on loading an entry: after this time another caller may load it.
const LOAD_TIMEOUT: Duration = Duration::from_secs(3);
/// How often, and at most how many times, waiting callers poll for the entry.
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

/// A public read: the caller's address, the page, and what the caller has cached (`If-None-Match`). No credential is
/// read.
#[derive(Debug)]
pub struct Asked<F = ()> {
    pub filter: F,
    address: ClientAddress,
    /// The page, and the path and query that its neighbours share.
    page: Option<(Paging, Uri)>,
    if_none_match: Vec<HeaderValue>,
    takes_gzip: bool,
}

impl<S: Send + Sync, F: Read> FromRequestParts<S> for Asked<F> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let address = ClientAddress::from_request_parts(parts, state).await?;
        let Query((filter, paging)): Query<(F, Option<Paging>)> = Query::from_request_parts(parts, state).await?;
        Ok(Self {
            filter,
            address,
            page: paging.map(|paging| (paging, parts.uri.clone())),
            if_none_match: parts.headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect(),
            takes_gzip: takes_gzip(&parts.headers),
        })
    }
}

impl<F> Asked<F> {
    fn coding(&self) -> Coding {
        if self.takes_gzip { Coding::Gzip } else { Coding::Identity }
    }
}

impl Cache {
    /// A cache in Redis, in front of this database. Callers are held to the rate limit of public reads.
    pub fn from_settings(settings: &Settings, database: Database) -> Result<Self, config::Error> {
        let redis = Redis::from_settings(settings)?;
        redis.open_early(settings);
        let throttle = Throttle::from_env(redis.clone());
        Ok(Self::new(redis, database, throttle, Limit::public_reads()?))
    }

    /// A cache in front of this database. Callers are held to this rate limit.
    pub fn new(redis: Redis, database: Database, throttle: Throttle, limit: Limit) -> Self {
        Self { redis, database, throttle, limit }
    }

    /// Answers with the list that `load` finds, cached under `key` for `lifetime`.
    pub async fn list<T: Serialize, F>(
        &self,
        asked: Asked<F>,
        key: &str,
        lifetime: Duration,
        message: &str,
        load: impl AsyncFnOnce(PgPool) -> sqlx::Result<Vec<T>>,
    ) -> Result<Response> {
        let load = async |pool| load(pool).await.map(Some);
        self.list_below(asked, key, lifetime, message, load).await
    }

    /// As [`Self::list`], for the children of a parent that the caller names. `load` finds `None` if there is no such
    /// parent: then the list is empty, and nothing is cached, because callers could name as many as fill Redis.
    pub async fn list_below<T: Serialize, F>(
        &self,
        asked: Asked<F>,
        key: &str,
        lifetime: Duration,
        message: &str,
        load: impl AsyncFnOnce(PgPool) -> sqlx::Result<Option<Vec<T>>>,
    ) -> Result<Response> {
        let load = async |pool| {
            let found = load(pool).await?;
            let is_kept = found.is_some();
            Ok(Loaded { answer: Envelope::new(message, found.unwrap_or_default()), is_kept })
        };
        let Some((paging, uri)) = &asked.page else {
            let coding = asked.coding();
            return Ok(answer(&asked, self.read(&asked, coding, key, lifetime, load).await?));
        };
        let json = self.read(&asked, Coding::Identity, key, lifetime, load).await?.json()?;
        let whole: Whole<'_> = serde_json::from_str(&json).map_err(Error::internal)?;
        let page = Paged::cut(whole.message, whole.data, *paging, uri);
        let json = serde_json::to_vec(&page).map_err(Error::internal)?;
        Ok(answer(&asked, Ready::new(&json, asked.coding())?))
    }

    /// Answers with the item that `load` finds, cached under `key` for `lifetime`; 404 if there is none.
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
            Ok(Loaded { answer: Envelope::new(message, item), is_kept: true })
        };
        Ok(answer(&asked, self.read(&asked, asked.coding(), key, lifetime, load).await?))
    }

    async fn read<T: Serialize, F>(
        &self,
        asked: &Asked<F>,
        coding: Coding,
        key: &str,
        lifetime: Duration,
        load: impl AsyncFnOnce(PgPool) -> Result<Loaded<T>>,
    ) -> Result<Ready> {
        let load = async || {
            metrics::count(Count::CacheMisses);
            let loaded = load(self.database.pool()).await?;
            let json = serde_json::to_vec(&loaded.answer).map_err(Error::internal)?;
            Ok::<_, Error>((json, loaded.is_kept))
        };
        let ready = |json: Vec<u8>| Ready::new(&json, coding);
        let version = match self.look(key, coding, &asked.address).await {
            Ok(found) => match found? {
                CacheEntry::Current(body) => {
                    metrics::count(Count::CacheHits);
                    return Ok(body);
                }
                CacheEntry::Changing => return load().await.and_then(|(json, _)| ready(json)),
                CacheEntry::Missing { version } => version,
            },
            Err(error) => {
                warn!(%error, "catalogue read without its cache");
                return load().await.and_then(|(json, _)| ready(json));
            }
        };
        if !self.may_load(key).await {
            for _ in 0..LOOKS {
                tokio::time::sleep(LOOK_AGAIN).await;
                match self.look_again(key, coding).await {
                    Ok((CacheEntry::Current(body), _)) => return Ok(body),
                    Ok((CacheEntry::Missing { .. }, true)) => {}
                    // The loader cached nothing, the entry could be stale, or Redis failed.
                    Ok(_) | Err(_) => break,
                }
            }
            return load().await.and_then(|(json, _)| ready(json));
        }
        let loaded = async {
            // The version must be read before the data: the data is then at least as new.
            let version = match version {
                Some(version) => version,
                None => self.learn_version().await?,
            };
            load().await.map(|(json, is_kept)| (version, json, is_kept))
        }
        .await;
        let kept = loaded.as_ref().ok().filter(|(_, _, is_kept)| *is_kept).map(|(version, json, _)| (*version, json));
        self.keep(key, kept, lifetime).await;
        loaded.and_then(|(_, json, _)| ready(json))
    }

    /// Reads version and entry, and counts the request against the rate limit, in one round trip. The error of the outer
    /// result is that of Redis.
    async fn look(
        &self,
        key: &str,
        coding: Coding,
        address: &ClientAddress,
    ) -> Result<Result<CacheEntry>, link::Error> {
        let claim = self.limit.on(&address.0);
        let commands = |attempt| {
            let mut commands = Pipeline::new();
            self.throttle.append(&mut commands, &claim, attempt);
            commands.cmd("MGET").arg(self.redis.key([VERSION])).arg(self.entry(key, coding));
            commands
        };
        let (counted, (version, entry)) =
            self.redis.run_or(&commands(Attempt::First), || commands(Attempt::Again)).await?;
        let entry = CacheEntry::new(coding, version, entry);
        Ok(self.throttle.verdict(&claim, counted).await.map(|()| entry))
    }

    /// Reads version and entry again, and whether another caller is still loading it.
    async fn look_again(&self, key: &str, coding: Coding) -> Result<(CacheEntry, bool), link::Error> {
        let mut commands = Pipeline::new();
        commands.cmd("MGET").arg(self.redis.key([VERSION])).arg(self.entry(key, coding)).arg(self.lock(key));
        let ((version, entry, lock),): ((_, _, Option<String>),) = self.redis.run(&commands).await?;
        Ok((CacheEntry::new(coding, version, entry), lock.is_some()))
    }

    /// Reads the version from Postgres and sets it in Redis, unless Redis has one by now or the catalogue is changing.
    async fn learn_version(&self) -> Result<i64> {
        let version = current_version(&self.database.pool()).await?;
        let mut commands = Pipeline::new();
        commands
            .cmd("SET")
            .arg(self.redis.key([VERSION]))
            .arg(version)
            .arg("NX")
            .arg("EX")
            .arg(HOUR.as_secs())
            .ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "catalogue version not kept");
        }
        Ok(version)
    }

    /// Takes the lease on loading the entry; `false` if another caller has it.
    async fn may_load(&self, key: &str) -> bool {
        let mut commands = Pipeline::new();
        commands.cmd("SET").arg(self.lock(key)).arg(1).arg("NX").arg("PX").arg(milliseconds(LOAD_TIMEOUT));
        // Without an answer every caller loads: slower, but none waits for a loader that does not exist.
        self.redis.run::<(Option<String>,)>(&commands).await.map_or(true, |(taken,)| taken.is_some())
    }

    /// Caches what was loaded, if anything was, and releases the lease.
    async fn keep(&self, key: &str, loaded: Option<(i64, &Vec<u8>)>, lifetime: Duration) {
        let mut commands = Pipeline::new();
        for coding in Coding::ALL {
            if let Some((version, json)) = loaded
                && let Ok(ready) = Ready::new(json, coding)
            {
                let (key, entry) = (self.entry(key, coding), ready.entry(version));
                commands.cmd("SET").arg(key).arg(entry).arg("EX").arg(lifetime.as_secs()).ignore();
            }
        }
        commands.cmd("DEL").arg(self.lock(key)).ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "catalogue entry not kept");
        }
    }

    // While a deployment is rolled out or back, two releases share Redis: another form of entries needs another name.
    fn entry(&self, key: &str, coding: Coding) -> String {
        self.redis.key(["catalogue:ready-entry:", key, coding.suffix()])
    }

    fn lock(&self, key: &str) -> String {
        self.redis.key(["catalogue:lock:", key])
    }
}

/// What was loaded for an answer.
struct Loaded<T> {
    answer: Envelope<T>,
    /// Whether it is cached.
    is_kept: bool,
}

/// A cached list with its items unparsed.
#[derive(Deserialize)]
struct Whole<'a> {
    message: String,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

fn answer<F>(asked: &Asked<F>, ready: Ready) -> Response {
    let etag = HeaderValue::from_maybe_shared(ready.etag.clone());
    let is_known = str::from_utf8(&ready.etag).is_ok_and(|etag| not_modified(&asked.if_none_match, etag));
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { ready.into_response() };
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE_CONTROL);
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

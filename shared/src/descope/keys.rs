//! The project's public keys: cached in memory and, for all functions, in Redis; fetched from Descope on a miss.
//!
//! A token with an unknown key id triggers a fetch, at most one per 30 seconds over all functions, however many of them
//! are sent. The key of a token that we hand out is fetched beforehand, so that a flood of invented key ids cannot hide
//! a new key. During an outage of Descope known keys keep working.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{DecodingKey, jwk::Jwk};
use redis::Pipeline;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::{info, warn};

use super::{As, Claims, Descope, Kind, failure::Meaning, failure::SERVICE, token};
use crate::{Error, Result, redis::Redis};

const KEPT: &str = "keys";
const ASKED: &str = "keys:asked";
/// The value in Redis while a function waits for Descope, and its outcomes.
const ASKING: &str = "asking";
const ANSWERED: &str = "answered";
const FAILED: &str = "failed";

/// Minimum time between two fetches for an unknown key.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long cached keys survive an outage of Descope.
const LIFETIME: Duration = Duration::from_hours(24);
/// Keys in memory are compared with newer ones in Redis after this time, so that revoked keys disappear.
const MEMORY: Duration = Duration::from_mins(10);
/// Keys that were fetched longer ago are fetched again, if Descope is available.
const FRESHNESS: TimeDelta = TimeDelta::hours(1);
/// How often, and at most how many times, to poll for the outcome of another function's fetch.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LOOKS: usize = 100;

/// The project's public keys, and what is verified with them.
#[derive(Clone)]
pub struct Keys {
    descope: Descope,
    redis: Redis,
    known: Arc<Mutex<KnownKeys>>,
}

#[derive(Default)]
struct KnownKeys {
    keys: HashMap<String, DecodingKey>,
    fetched_at: DateTime<Utc>,
    /// When memory was last compared with Redis.
    compared_at: Option<Instant>,
    /// When this process last asked Descope, and whether it answered.
    asked: Option<(Instant, bool)>,
}

/// The keys as stored in Redis.
#[derive(Serialize, Deserialize)]
struct StoredKeys {
    fetched_at: DateTime<Utc>,
    keys: Vec<Value>,
}

/// The two forms of Descope's key set.
#[derive(Deserialize)]
#[serde(untagged)]
enum KeySet {
    Object { keys: Vec<Value> },
    Array(Vec<Value>),
}

impl Keys {
    /// Keys of the client's project.
    pub fn new(descope: Descope, redis: Redis) -> Self {
        Self { descope, redis, known: Arc::default() }
    }

    /// The claims of a token, if Descope issued it for this project and for `kind`, and it has not expired.
    pub async fn verify(&self, token: &str, kind: Kind) -> Result<Claims> {
        let id = token::key_id(token)?;
        let key = self.find(&id).await?;
        Claims::verified(token, &key, self.descope.project_id(), kind)
    }

    /// Fetches the key of a token that has just come from Descope, unless it is known; regardless of earlier fetches.
    pub async fn learn(&self, token: &str) -> Result<()> {
        let id = token::key_id(token)?;
        let mut known = self.known.lock().await;
        if known.keys.contains_key(&id) {
            return Ok(());
        }
        if let Some(kept) = self.kept().await {
            known.take_over(&kept);
        }
        if !known.keys.contains_key(&id) {
            self.fetch(&mut known).await?;
        }
        Ok(())
    }

    async fn find(&self, id: &str) -> Result<DecodingKey> {
        let mut known = self.known.lock().await;
        let is_recent = known.compared_at.is_some_and(|at| at.elapsed() < MEMORY);
        if is_recent && let Some(key) = known.keys.get(id) {
            return Ok(key.clone());
        }
        known.compared_at = Some(Instant::now());
        if let Some(kept) = self.kept().await {
            known.take_over(&kept);
        }
        let is_fresh = Utc::now() - known.fetched_at < FRESHNESS;
        if let Some(key) = known.keys.get(id).filter(|_| is_fresh) {
            return Ok(key.clone());
        }
        let asked = self.ask(&mut known).await;
        match (known.keys.get(id), asked) {
            (Some(key), _) => Ok(key.clone()),
            (None, Ok(())) => Err(Error::TokenInvalid),
            // The key may be valid: "invalid" would sign users out because of an outage of Descope.
            (None, Err(error)) => Err(error),
        }
    }

    /// Fetches the keys, unless that was done a moment ago; then its outcome counts.
    async fn ask(&self, known: &mut KnownKeys) -> Result<()> {
        if let Some((at, was_answered)) = known.asked
            && at.elapsed() < PATIENCE
        {
            return if was_answered { Ok(()) } else { Err(away()) };
        }
        match self.take_turn().await {
            Turn::Ours => {
                let fetched = self.fetch(known).await;
                self.tell(if fetched.is_ok() { ANSWERED } else { FAILED }).await;
                fetched
            }
            Turn::Answered => {
                if let Some(kept) = self.kept().await {
                    known.take_over(&kept);
                }
                Ok(())
            }
            Turn::Failed => Err(away()),
        }
    }

    async fn fetch(&self, known: &mut KnownKeys) -> Result<()> {
        let path = format!("/v2/keys/{}", self.descope.project_id());
        let fetched = self.descope.get::<KeySet>(&path, As::Anyone).await;
        let keys = fetched.map_err(|failure| failure.means(Meaning::Nothing)).map(|set| match set {
            KeySet::Object { keys } | KeySet::Array(keys) => keys,
        });
        let keys = keys.and_then(|keys| if keys.is_empty() { Err(away()) } else { Ok(keys) });
        known.asked = Some((Instant::now(), keys.is_ok()));
        let kept =
            StoredKeys { fetched_at: Utc::now(), keys: keys.inspect_err(|_| warn!("keys of Descope not fetched"))? };
        self.keep(&kept).await;
        info!(count = kept.keys.len(), "keys of Descope fetched");
        known.take_over(&kept);
        Ok(())
    }

    /// Holds the project's address, because Redis may serve two systems with different projects.
    fn key(&self, name: &str) -> String {
        self.redis.key(["descope:", &self.descope.address(), ":", name])
    }

    async fn kept(&self) -> Option<StoredKeys> {
        let mut commands = Pipeline::new();
        commands.cmd("GET").arg(self.key(KEPT));
        let (text,): (Option<String>,) = self.redis.run(&commands).await.ok()?;
        serde_json::from_str(&text?).ok()
    }

    async fn keep(&self, kept: &StoredKeys) {
        let Ok(text) = serde_json::to_string(kept) else { return };
        let mut commands = Pipeline::new();
        commands.cmd("SET").arg(self.key(KEPT)).arg(text).arg("EX").arg(LIFETIME.as_secs()).ignore();
        if let Err(error) = self.redis.run::<()>(&commands).await {
            warn!(%error, "keys of Descope not kept");
        }
    }

    /// Takes the lease on asking Descope, or waits for the outcome of the function that has it.
    async fn take_turn(&self) -> Turn {
        for _ in 0..LOOKS {
            let mut commands = Pipeline::new();
            let asked = self.key(ASKED);
            commands.cmd("SET").arg(&asked).arg(ASKING).arg("NX").arg("PX").arg(millis(PATIENCE)).arg("GET");
            match self.redis.run::<(Option<String>,)>(&commands).await {
                // Without Redis each process enforces the limit by itself.
                Ok((None,)) | Err(_) => return Turn::Ours,
                Ok((Some(state),)) if state == ANSWERED => return Turn::Answered,
                Ok((Some(state),)) if state == FAILED => return Turn::Failed,
                Ok(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
        Turn::Failed
    }

    async fn tell(&self, outcome: &str) {
        let mut commands = Pipeline::new();
        commands.cmd("SET").arg(self.key(ASKED)).arg(outcome).arg("XX").arg("KEEPTTL").ignore();
        let _ = self.redis.run::<()>(&commands).await;
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keys")
    }
}

enum Turn {
    Ours,
    Answered,
    Failed,
}

impl KnownKeys {
    /// Replaces the known keys with newer ones.
    fn take_over(&mut self, kept: &StoredKeys) {
        if kept.fetched_at > self.fetched_at {
            self.keys = kept.keys.iter().filter_map(rsa).collect();
            self.fetched_at = kept.fetched_at;
        }
    }
}

/// The id and key of a JSON Web Key for RS256; `None` for any other algorithm, since no other is accepted.
fn rsa(key: &Value) -> Option<(String, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(key.clone()).ok()?;
    let is_rsa = key.get("kty")?.as_str()? == "RSA";
    let is_rs256 = key.get("alg").and_then(Value::as_str).is_none_or(|algorithm| algorithm == "RS256");
    let key = DecodingKey::from_jwk(&jwk).ok().filter(|_| is_rsa && is_rs256)?;
    Some((jwk.common.key_id?, key))
}

fn away() -> Error {
    Error::Upstream { service: SERVICE, reason: "keys could not be fetched a moment ago".to_owned() }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

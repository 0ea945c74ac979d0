//! Idempotency keys: a retry with the same `Idempotency-Key` gets the first answer again, byte for byte. Clients that cannot
//! set headers send the key in the body, as `idempotency_key`.
//!
//! The key is claimed inside the transaction that it guards. A concurrent request with the same key waits at the unique
//! index until that transaction ends: after a commit it finds the answer, after a rollback the key is free.

use axum::{body::Body, extract::FromRequestParts, response::Response};
use chrono::TimeDelta;
use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    Error, Result,
    http::{Fields, Whole, private_json},
    sealed::{Broken, Sealer},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long the answer to a request with an `Idempotency-Key` is kept.
pub const DAY: TimeDelta = TimeDelta::days(1);

/// The longest `Idempotency-Key`, in characters.
pub const LONGEST_KEY: usize = 255;

/// A secret that a retry shares with the first request: the value of `Idempotency-Key`, or another secret of the caller.
pub struct Key(String);

impl Key {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The key in a body, if it has one.
    pub fn in_body(fields: &mut Fields) -> Option<Self> {
        fields.text_or_empty("idempotency_key", LONGEST_KEY).filter(|key| !key.is_empty()).map(Self)
    }

    /// The key as that of one caller, so that keys of different callers never meet. Only a hash is kept, so a phone number
    /// may be the caller.
    #[must_use]
    pub fn of(self, caller: &str) -> Self {
        Self(format!("{caller}\n{}", self.0))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

/// The `Idempotency-Key` of a request, if it has one.
#[derive(Debug)]
pub struct MaybeKey(pub Option<Key>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        let key = value.to_str().map(str::trim).unwrap_or_default();
        if (1..=LONGEST_KEY).contains(&key.len()) {
            Ok(Self(Some(Key(key.to_owned()))))
        } else {
            Err(Error::field("Idempotency-Key", &format!("Send 1 to {LONGEST_KEY} printable characters.")))
        }
    }
}

/// A stored answer.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    pub const fn new(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, body }
    }

    fn stored(key: &Key, scope: &str, status: i16, sealed: &[u8]) -> Result<Self> {
        let status = u16::try_from(status).map_err(Error::internal)?;
        let status = StatusCode::from_u16(status).map_err(Error::internal)?;
        Ok(Self { status, body: key.open(scope, sealed)? })
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The answer as it is given first.
    pub fn into_first_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The answer as it is replayed.
    pub fn into_response(self) -> Response {
        let mut response = self.into_first_response();
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

/// Replays the first answer if the request is a retry. Otherwise claims its key, if it has one, so that the rest of
/// this transaction is done once.
pub async fn replay(
    connection: &mut PgConnection,
    scope: &str,
    key: Option<&Key>,
    sent: &Whole,
) -> Result<Option<Response>> {
    let Some(key) = key else { return Ok(None) };
    Ok(claim(connection, scope, key, &sent.sha256()).await?.map(Answer::into_response))
}

/// The answer that is kept for a retry, without a claim: none if the first request is still running or had another body.
pub async fn kept(
    executor: impl PgExecutor<'_>,
    scope: &str,
    key: &Key,
    request_sha256: &[u8],
) -> Result<Option<Response>> {
    let kept = sqlx::query!(
        r#"
        select status as "status!", sealed_body as "sealed_body!" from idempotency_keys
        where scope = $1 and key_sha256 = $2 and request_sha256 = $3 and expires_at > now() and status is not null
        "#,
        scope,
        &key.derive("find", scope),
        request_sha256
    )
    .fetch_optional(executor)
    .await?;
    let Some(kept) = kept else { return Ok(None) };
    Ok(Some(Answer::stored(key, scope, kept.status, &kept.sealed_body)?.into_response()))
}

/// Answers a success, and keeps the answer for a day for retries with the key.
pub async fn answer(
    connection: &mut PgConnection,
    scope: &str,
    key: Option<&Key>,
    status: StatusCode,
    body: &impl Serialize,
) -> Result<Response> {
    if let Some(key) = key {
        let kept = Answer::new(status, serde_json::to_vec(body).map_err(Error::internal)?);
        keep(connection, scope, key, &kept, DAY).await?;
    }
    Ok(private_json(status, body))
}

/// Claims the key within a scope, e.g. an endpoint, or returns the answer that is kept for it. Waits for the
/// transaction that holds the key.
pub async fn claim(
    connection: &mut PgConnection,
    scope: &str,
    key: &Key,
    request_sha256: &[u8],
) -> Result<Option<Answer>> {
    let key_sha256 = key.derive("find", scope);
    let claimed = sqlx::query!(
        "
        insert into idempotency_keys as kept (scope, key_sha256, request_sha256) values ($1, $2, $3)
        on conflict (scope, key_sha256) do update
            set request_sha256 = excluded.request_sha256, status = null, sealed_body = null,
                created_at = excluded.created_at, expires_at = excluded.expires_at
            where kept.expires_at <= now()
        ",
        scope,
        &key_sha256,
        request_sha256
    )
    .execute(&mut *connection)
    .await
    .map_err(|error| if is_lock_timeout(&error) { Error::IdempotencyInProgress } else { error.into() })?;
    if claimed.rows_affected() == 1 {
        return Ok(None);
    }
    let kept = sqlx::query!(
        "select request_sha256, status, sealed_body from idempotency_keys where scope = $1 and key_sha256 = $2",
        scope,
        &key_sha256
    )
    .fetch_one(connection)
    .await?;
    if kept.request_sha256 != request_sha256 {
        return Err(Error::IdempotencyKeyReused);
    }
    let (Some(status), Some(sealed)) = (kept.status, kept.sealed_body) else {
        return Err(Error::internal("a committed idempotency key has no answer"));
    };
    Answer::stored(key, scope, status, &sealed).map(Some)
}

/// Keeps the answer for `lifetime` from now, once the transaction commits.
pub async fn keep(
    connection: &mut PgConnection,
    scope: &str,
    key: &Key,
    answer: &Answer,
    lifetime: TimeDelta,
) -> Result<()> {
    let status = i16::try_from(answer.status.as_u16()).map_err(Error::internal)?;
    sqlx::query!(
        "
        update idempotency_keys set status = $3, sealed_body = $4, expires_at = clock_timestamp() + $5::interval
        where scope = $1 and key_sha256 = $2
        ",
        scope,
        &key.derive("find", scope),
        status,
        key.seal(scope, &answer.body)?,
        lifetime as TimeDelta
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Key {
    fn derive(&self, purpose: &str, scope: &str) -> [u8; 32] {
        Sha256::digest(format!("repairmybike idempotency {purpose}\n{scope}\n{}", self.0)).into()
    }

    /// An answer may hold an access token, so it is encrypted with the key, of which only a hash is stored.
    fn sealer(&self, scope: &str) -> Result<Sealer, Broken> {
        Sealer::new(&self.derive("seal", scope))
    }

    fn seal(&self, scope: &str, body: &[u8]) -> Result<Vec<u8>> {
        let sealed = self.sealer(scope).and_then(|sealer| sealer.seal(body, b""));
        sealed.map_err(|Broken| Error::internal("an answer could not be sealed"))
    }

    fn open(&self, scope: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let body = self.sealer(scope).and_then(|sealer| sealer.open(sealed, b""));
        body.map_err(|Broken| Error::internal("a kept answer could not be opened"))
    }
}

/// Whether Postgres' `lock_timeout` has passed: `lock_not_available`.
fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}

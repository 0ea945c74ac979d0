//! Exchange of a refresh token for a new session token.
//!
//! Several windows of one client may refresh concurrently with one token, and with rotating refresh tokens Descope
//! answers only the first. So one request per token calls Descope; the others wait and get the same answer for a while.
//! The stored answer is sealed with the refresh token itself, so only that token opens it.

use axum::response::Response;
use chrono::TimeDelta;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tracing::warn;
use utoipa::ToSchema;

use super::SignIn;
use crate::{
    Error, Result,
    accounts::{self, NewSession},
    descope::{Claims, Kind, SERVICE, SignedIn},
    http::Device,
    idempotency::{self, Answer, Key},
    ids::SessionId,
    session::{session_of, sha256},
};

/// Far longer than any token of Descope's.
pub const LONGEST_TOKEN: usize = 8000;
/// How long one refresh token gets the same answer: enough for windows that wake up together, and for a retry after a
/// lost answer.
const SAME_ANSWER: TimeDelta = TimeDelta::minutes(1);
const SCOPE: &str = "refresh token";

/// The new tokens.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = RefreshedTokens)]
pub struct Refreshed {
    session_token: String,
    /// The one that was sent, unless Descope has changed it.
    refresh_token: String,
}

/// The session that a refresh token belongs to.
#[derive(Clone, Copy)]
struct Owner {
    session_id: SessionId,
    is_revoked: bool,
}

/// Exchanges a refresh token; the answer for its client.
pub async fn refresh(sign_in: &SignIn, token: &str, device: &Device) -> Result<Response> {
    exchange(sign_in, token, device).await.map(Exchanged::into_response)
}

/// Exchanges the refresh token of a session that is kept here; returns the claims of its newest session token, which say
/// the roles that the user has at Descope now. 401 if the session has ended or its refresh token is unknown here.
pub async fn refresh_session(sign_in: &SignIn, id: SessionId, device: &Device) -> Result<Claims> {
    let kept = sqlx::query!("select descope_user_id, refresh_token_sealed from user_sessions where id = $1", id.0)
        .fetch_optional(&sign_in.sessions.database.pool())
        .await?
        .ok_or(Error::SessionRevoked)?;
    let sealed = kept.refresh_token_sealed.ok_or(Error::SessionRevoked)?;
    let token = sign_in.seals.open(&sealed, &kept.descope_user_id).await?;
    let exchanged = exchange(sign_in, &token, device).await?;
    let refreshed: Refreshed = serde_json::from_slice(exchanged.answer().body()).map_err(Error::internal)?;
    Claims::trusted(&refreshed.session_token)
}

/// The new tokens, and whether another request got them from Descope.
enum Exchanged {
    Now(Answer),
    Before(Answer),
}

impl Exchanged {
    fn answer(&self) -> &Answer {
        match self {
            Self::Now(answer) | Self::Before(answer) => answer,
        }
    }

    fn into_response(self) -> Response {
        match self {
            Self::Now(answer) => answer.into_first_response(),
            Self::Before(answer) => answer.into_response(),
        }
    }
}

async fn exchange(sign_in: &SignIn, token: &str, device: &Device) -> Result<Exchanged> {
    let database = &sign_in.sessions.database;
    // Not `Database::transaction`: it may have to end before Descope's keys are fetched.
    let mut transaction = database.begin().await?;
    let known = session_with(&mut transaction, token).await?;
    if known.is_none() {
        transaction.rollback().await?;
        // Invalid tokens are not sent to Descope. Tokens issued through us are verified by Descope alone: it may know
        // keys that it no longer publishes.
        sign_in.sessions.keys.verify(token, Kind::Refresh).await.map_err(not_expired)?;
        transaction = database.begin().await?;
    }
    // The transaction is open during the call to Descope on purpose: its row makes concurrent requests wait, and is
    // released if the function is killed.
    match answer(sign_in, &mut transaction, token, known, device).await {
        Ok((exchanged, session_token)) => {
            transaction.commit().await?;
            if let Some(session_token) = session_token
                && let Err(error) = sign_in.sessions.keys.learn(&session_token).await
            {
                warn!(%error, "the key of a new token is not known yet");
            }
            Ok(exchanged)
        }
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

/// The answer, and the session token in it if it is new.
async fn answer(
    sign_in: &SignIn,
    connection: &mut PgConnection,
    token: &str,
    known: Option<Owner>,
    device: &Device,
) -> Result<(Exchanged, Option<String>)> {
    if known.is_some_and(|known| known.is_revoked) {
        return Err(Error::SessionRevoked);
    }
    let key = Key::new(token);
    let before = idempotency::claim(connection, SCOPE, &key, &sha256(SCOPE)).await.map_err(|error| match error {
        // The concurrent request to Descope has no answer yet.
        Error::IdempotencyInProgress => Error::UpstreamTimeout { service: SERVICE },
        error => error,
    })?;
    if let Some(answer) = before {
        return Ok((Exchanged::Before(answer), None));
    }
    let signed_in = sign_in.sessions.descope.refresh(token).await?;
    write(sign_in, connection, token, known, &signed_in, device).await?;
    let is_unchanged = signed_in.refresh_jwt.is_empty();
    let refreshed = Refreshed {
        session_token: signed_in.session_jwt,
        refresh_token: if is_unchanged { token.to_owned() } else { signed_in.refresh_jwt },
    };
    let answer = Answer::new(StatusCode::OK, serde_json::to_vec(&refreshed).map_err(Error::internal)?);
    idempotency::keep(connection, SCOPE, &key, &answer, SAME_ANSWER).await?;
    Ok((Exchanged::Now(answer), Some(refreshed.session_token)))
}

/// Writes the new tokens to their session, which may have been opened without us.
async fn write(
    sign_in: &SignIn,
    connection: &mut PgConnection,
    token: &str,
    known: Option<Owner>,
    signed_in: &SignedIn,
    device: &Device,
) -> Result<()> {
    let claims = Claims::trusted(&signed_in.session_jwt)?;
    let newest = if signed_in.refresh_jwt.is_empty() { token } else { &signed_in.refresh_jwt };
    let sealed = sign_in.seals.seal(newest, claims.user_id())?;
    let session_token_sha256 = sha256(&signed_in.session_jwt);
    let known = match known {
        // Another request may have written this token meanwhile.
        None => session_with(connection, token).await?,
        known => known,
    };
    let session_id = if let Some(known) = known {
        known.session_id
    } else {
        accounts::lock(connection, &[claims.user_id()]).await?;
        let stranger = match &signed_in.user {
            Some(user) if user.user_id == claims.user_id() => Some(user.clone()),
            _ => sign_in.sessions.descope.user(claims.user_id()).await?,
        };
        let user_id = accounts::adopt(connection, claims.user_id(), stranger.as_ref()).await?;
        let user_id = user_id.ok_or(Error::TokenInvalid)?;
        let Some(session_id) = session_of(connection, &claims).await? else {
            let session = NewSession {
                user_id,
                claims: &claims,
                token_sha256: session_token_sha256,
                refresh_token: Some((sha256(newest), sealed)),
                is_proof: false,
                user_agent: &device.user_agent,
                ip_address: &device.ip_address,
            };
            accounts::open_session(connection, session).await?;
            return Ok(());
        };
        session_id
    };
    let tokens = RenewedTokens { refresh_token: newest, sealed, session_token_sha256, claims: &claims };
    let Some(are_news) = renew(connection, session_id, &tokens).await? else {
        // Revoked during the call to Descope: the new tokens are ended too.
        if let Err(error) = sign_in.sessions.descope.log_out(newest).await {
            warn!(%error, "a revoked session goes on at Descope");
        }
        return Err(Error::SessionRevoked);
    };
    if are_news {
        accounts::learn_roles(connection, &claims).await?;
    }
    Ok(())
}

/// The tokens that continue a session.
struct RenewedTokens<'a> {
    refresh_token: &'a str,
    sealed: Vec<u8>,
    session_token_sha256: [u8; 32],
    /// Of the session token.
    claims: &'a Claims,
}

/// Writes new tokens of a session, and deletes its expired ones. Whether they tell of roles that are not known here;
/// `None` if the session was revoked.
async fn renew(
    connection: &mut PgConnection,
    session_id: SessionId,
    tokens: &RenewedTokens<'_>,
) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar!(
        r#"
        with session as (
            update user_sessions set refresh_token_sealed = $2, expires_at = $4, last_seen_at = now()
            where id = $1 and revoked_at is null
                and not exists (select from users where users.id = user_id and blocked_at is not null)
            returning id
        ), tokens as (
            insert into session_tokens (token_sha256, kind, session_id, expires_at)
            select token.sha256, token.kind, session.id, token.expires_at
            from session, (values
                ($3::bytea, 'refresh'::token_kind, $4::timestamptz), ($5, 'session', $6)
            ) as token (sha256, kind, expires_at)
            on conflict (token_sha256) do nothing
        ), expired as (
            delete from session_tokens where session_id = $1 and expires_at < now() - interval '1 hour'
        )
        select roles_are_news($7, $8, $9) as "are_news!" from session
        "#,
        session_id.0,
        tokens.sealed,
        &sha256(tokens.refresh_token),
        tokens.claims.session_ends_at(),
        &tokens.session_token_sha256,
        tokens.claims.expires_at(),
        tokens.claims.user_id(),
        tokens.claims.issued_at(),
        tokens.claims.roles()
    )
    .fetch_optional(connection)
    .await
}

async fn session_with(connection: &mut PgConnection, refresh_token: &str) -> Result<Option<Owner>> {
    let known = sqlx::query_as!(
        Owner,
        r#"
        select session_id, session.revoked_at is not null or users.blocked_at is not null as "is_revoked!"
        from session_tokens token
        join user_sessions session on session.id = token.session_id
        join users on users.id = session.user_id
        where token_sha256 = $1 and kind = 'refresh'
        "#,
        &sha256(refresh_token)
    )
    .fetch_optional(connection)
    .await?;
    Ok(known)
}

/// Clients refresh on `TOKEN_EXPIRED`, so an expired refresh token must get another code.
fn not_expired(error: Error) -> Error {
    if matches!(error, Error::TokenExpired) { Error::TokenInvalid } else { error }
}

//! Ending of sessions: immediately in every function here, then at Descope.

use std::time::Instant;

use futures::future::join_all;
use sqlx::{PgConnection, PgPool};
use tracing::warn;

use super::{Seals, SignIn};
use crate::{
    Error, Result,
    accounts::{self, RevokedSession},
    database::Database,
    descope::{Claims, Descope, Kind, SignedIn},
    http::Device,
    ids::{SessionId, UserId},
    session::{Session, session_by_token, session_of},
};

/// Sessions ended at Descope per call; the others keep their refresh token for the next call.
const AT_ONCE: i64 = 20;

/// Ends one of a user's sessions; 404 for another user's session, too.
pub async fn revoke(sign_in: &SignIn, user_id: UserId, id: SessionId) -> Result<()> {
    let revoked = accounts::revoke_session(&sign_in.sessions.database.pool(), user_id, id).await?;
    let revoked = revoked.ok_or(Error::NotFound("Session"))?;
    end_revoked(sign_in, user_id, &revoked).await;
    Ok(())
}

/// Ends at Descope a session that has been revoked here.
pub(super) async fn end_revoked(sign_in: &SignIn, user_id: UserId, revoked: &RevokedSession) {
    if revoked.is_unknown_to_us {
        // Descope can end a single session only by its refresh token.
        report(sign_in.sessions.descope.log_out_user(&revoked.descope_user_id).await);
    }
    end_at_descope(sign_in, user_id).await;
}

/// Ends, here and at Descope, the session of a session token, of a refresh token, or of both if they are one user's.
/// What has ended or expired already is no error; 401 for a forged token, and without any.
pub async fn log_out(
    sign_in: &SignIn,
    session_token: Option<&str>,
    refresh_token: Option<&str>,
    device: &Device,
) -> Result<()> {
    let ending = match session_token {
        Some(token) => session_to_end(sign_in, token, device).await?,
        None => None,
    };
    if let Some((id, user_id)) = ending {
        accounts::revoke_session(&sign_in.sessions.database.pool(), user_id, id).await?;
    }
    let user_id = ending.map(|(_, user_id)| user_id);
    let of_refresh = match (refresh_token, session_token) {
        (Some(token), Some(_)) => refused_is_none(end_refresh_token(sign_in, token, user_id).await)?,
        (Some(token), None) => end_refresh_token(sign_in, token, None).await?,
        (None, Some(_)) => None,
        (None, None) => return Err(Error::NotAuthenticated),
    };
    if let Some(user_id) = user_id.or(of_refresh) {
        end_at_descope(sign_in, user_id).await;
    }
    Ok(())
}

/// The session of a session token; `None` if there is nothing left to end.
async fn session_to_end(sign_in: &SignIn, token: &str, device: &Device) -> Result<Option<(SessionId, UserId)>> {
    match sign_in.sessions.identify(token, device).await {
        Ok(session) => Ok(Some((session.id, session.user.id))),
        // Its signature is right, so its sender had the session, which a refresh token may still continue.
        Err(Error::TokenExpired) => Ok(session_by_token(&sign_in.sessions.database, token).await?),
        Err(Error::SessionRevoked | Error::Blocked) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Ends the session of a refresh token, unless it is another user's than `user_id`; returns its user. 401 for a forged one.
async fn end_refresh_token(sign_in: &SignIn, token: &str, user_id: Option<UserId>) -> Result<Option<UserId>> {
    let database = &sign_in.sessions.database;
    let (id, owner) = match session_by_token(database, token).await? {
        Some((id, owner)) => (Some(id), Some(owner)),
        None => match sign_in.sessions.keys.verify(token, Kind::Refresh).await {
            Ok(claims) => opened_elsewhere(sign_in, &claims).await?,
            Err(Error::TokenExpired) => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    if user_id.is_some() && user_id != owner {
        return Ok(None);
    }
    if let Some((id, owner)) = id.zip(owner) {
        accounts::revoke_session(&database.pool(), owner, id).await?;
    }
    report(sign_in.sessions.descope.log_out(token).await);
    Ok(owner)
}

/// The session and the user of a refresh token that did not come through us, if they are known here.
async fn opened_elsewhere(sign_in: &SignIn, claims: &Claims) -> Result<(Option<SessionId>, Option<UserId>)> {
    let database = &sign_in.sessions.database;
    let Some(identity) = accounts::identity(database, claims.user_id()).await? else { return Ok((None, None)) };
    let find = async |connection: &mut PgConnection| match session_of(connection, claims).await {
        Err(Error::SessionRevoked | Error::Blocked | Error::TokenInvalid) => Ok(None),
        found => found,
    };
    Ok((database.transaction(find).await?, Some(identity.user_id)))
}

/// A refresh token beside a session token may be forged: then it is ignored.
fn refused_is_none<T>(ended: Result<Option<T>>) -> Result<Option<T>> {
    match ended {
        Err(Error::TokenInvalid) => Ok(None),
        ended => ended,
    }
}

/// The tokens to continue a session with: the one it has sent and its refresh token. `None` if that is unknown here.
pub(super) async fn tokens(
    sign_in: &SignIn,
    connection: &mut PgConnection,
    session: &Session,
) -> Result<Option<SignedIn>> {
    let kept =
        sqlx::query!("select descope_user_id, refresh_token_sealed from user_sessions where id = $1", session.id.0)
            .fetch_one(connection)
            .await?;
    let Some(sealed) = kept.refresh_token_sealed else { return Ok(None) };
    let refresh_jwt = sign_in.seals.open(&sealed, &kept.descope_user_id).await?;
    Ok(Some(SignedIn { session_jwt: session.token.clone(), refresh_jwt, user: None, first_seen: false }))
}

/// Whether a session is not revoked. The caller [holds](accounts::hold) its user.
pub async fn is_active(connection: &mut PgConnection, id: SessionId) -> sqlx::Result<bool> {
    // Locked, because revoking a single session does not lock its user.
    let active =
        sqlx::query_scalar!("select id from user_sessions where id = $1 and revoked_at is null for share", id.0)
            .fetch_optional(connection)
            .await?;
    Ok(active.is_some())
}

/// Ends at Descope the sessions that are revoked here. Those that Descope does not end now keep their refresh token for
/// the next call; their tokens are refused here in any case.
pub async fn end_at_descope(sign_in: &SignIn, user_id: UserId) {
    if let Err(error) = try_to_end(sign_in, user_id).await {
        warn!(%error, "revoked sessions go on at Descope for now");
    }
}

async fn try_to_end(sign_in: &SignIn, user_id: UserId) -> Result<()> {
    let (pool, descope) = (sign_in.sessions.database.pool(), &sign_in.sessions.descope);
    let revoked = sqlx::query_as!(
        Revoked,
        r#"
        select id, descope_user_id, refresh_token_sealed as "sealed!" from user_sessions
        where user_id = $1 and revoked_at is not null and refresh_token_sealed is not null
        order by id desc
        limit $2
        "#,
        user_id.0,
        AT_ONCE
    )
    .fetch_all(&pool)
    .await?;
    let (_, failure) = end_all(&pool, descope, &sign_in.seals, &revoked).await?;
    failure.map_or(Ok(()), Err)
}

/// A session that is revoked here and goes on at Descope.
struct Revoked {
    id: SessionId,
    descope_user_id: String,
    sealed: Vec<u8>,
}

/// Ends sessions at Descope and forgets their refresh tokens; returns how many, and why others go on.
async fn end_all(pool: &PgPool, descope: &Descope, seals: &Seals, revoked: &[Revoked]) -> Result<(u64, Option<Error>)> {
    let endings = revoked.iter().map(async |session| {
        let refresh_token = seals.open(&session.sealed, &session.descope_user_id).await?;
        descope.log_out(&refresh_token).await.map(|()| session.id)
    });
    let (mut ended, mut failure) = (Vec::new(), None);
    for ending in join_all(endings).await {
        match ending {
            Ok(id) => ended.push(id),
            Err(error) => failure = Some(error),
        }
    }
    if ended.is_empty() {
        return Ok((0, failure));
    }
    let forgotten =
        sqlx::query!("update user_sessions set refresh_token_sealed = null where id = any($1)", &ended as &[SessionId])
            .execute(pool)
            .await?;
    Ok((forgotten.rows_affected(), failure))
}

/// Ends at Descope the sessions that were revoked here while it was away, until `end`; returns their number. Those that
/// it does not end are tried again after a pause that grows to a day. A claim is a lease, so concurrent jobs take
/// different sessions.
pub async fn end_revoked_before(database: &Database, descope: &Descope, seals: &Seals, end: Instant) -> Result<u64> {
    let pool = database.pool();
    let mut count = 0;
    while Instant::now() < end {
        // The request that revoked a session gets a minute to end it.
        let revoked = sqlx::query_as!(
            Revoked,
            r#"
            update user_sessions session set
                end_attempts = session.end_attempts + 1,
                end_due_at = now() + least(interval '10 minutes' * power(2, least(session.end_attempts, 8)), interval '1 day')
            where id in (
                select id from user_sessions
                where revoked_at < now() - interval '1 minute' and refresh_token_sealed is not null and end_due_at <= now()
                order by revoked_at, id limit $1 for update skip locked
            )
            returning id, descope_user_id, refresh_token_sealed as "sealed!"
            "#,
            AT_ONCE
        )
        .fetch_all(&pool)
        .await?;
        if revoked.is_empty() {
            break;
        }
        let (ended, failure) = end_all(&pool, descope, seals, &revoked).await?;
        count += ended;
        if let Some(error) = failure {
            warn!(%error, "revoked sessions go on at Descope for now");
            if ended == 0 {
                // Descope is away; the next run goes on.
                break;
            }
        }
    }
    Ok(count)
}

fn report(ended: Result<()>) {
    if let Err(error) = ended {
        warn!(%error, "a revoked session goes on at Descope");
    }
}

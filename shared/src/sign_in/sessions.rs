//! Ending of sessions: immediately in every function here, then at Descope.

use futures::future::join_all;
use sqlx::PgConnection;
use tracing::warn;

use super::SignIn;
use crate::{
    Error, Result,
    accounts::{self, RevokedSession},
    descope::{Kind, SignedIn},
    ids::{SessionId, UserId},
    session::Session,
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

/// Ends a session, here and at Descope, and the refresh token that was sent, if it is the user's.
pub async fn log_out(sign_in: &SignIn, session: &Session, refresh_token: Option<&str>) -> Result<()> {
    accounts::revoke_session(&sign_in.sessions.database.pool(), session.user.id, session.id).await?;
    if let Some(token) = refresh_token
        && is_of(sign_in, session, token).await?
    {
        report(sign_in.sessions.descope.log_out(token).await);
    }
    end_at_descope(sign_in, session.user.id).await;
    Ok(())
}

/// Whether a refresh token belongs to the session's user.
async fn is_of(sign_in: &SignIn, session: &Session, refresh_token: &str) -> Result<bool> {
    let Ok(claims) = sign_in.sessions.keys.verify(refresh_token, Kind::Refresh).await else { return Ok(false) };
    let identity = accounts::identity(&sign_in.sessions.database, claims.user_id()).await?;
    Ok(identity.is_some_and(|identity| identity.user_id == session.user.id))
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
    let pool = sign_in.sessions.database.pool();
    let revoked = sqlx::query!(
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
    let endings = revoked.iter().map(async |session| {
        let refresh_token = sign_in.seals.open(&session.sealed, &session.descope_user_id).await?;
        sign_in.sessions.descope.log_out(&refresh_token).await.map(|()| session.id)
    });
    let (mut ended, mut failure) = (Vec::new(), None);
    for ending in join_all(endings).await {
        match ending {
            Ok(id) => ended.push(id),
            Err(error) => failure = Some(error),
        }
    }
    if !ended.is_empty() {
        sqlx::query!("update user_sessions set refresh_token_sealed = null where id = any($1)", &ended)
            .execute(&pool)
            .await?;
    }
    failure.map_or(Ok(()), Err)
}

fn report(ended: Result<()>) {
    if let Err(error) = ended {
        warn!(%error, "a revoked session goes on at Descope");
    }
}

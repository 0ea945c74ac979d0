//! Blocking of users, and ending of their sessions by the shop: here at once, in every function, then at Descope.

use serde_json::json;
use sqlx::PgConnection;
use tracing::warn;

use super::SignIn;
use crate::{
    Error, Result, accounts,
    database::Database,
    descope::Descope,
    history::{self, Action, Author},
    ids::{SessionId, UserId},
    sign_in::sessions,
};

/// Blocks a user: every session is over, and no new one begins. `false` if the user is blocked already. 404 for an
/// unknown user, 409 for the last administrator. Works while Descope is away.
pub async fn block(sign_in: &SignIn, user_id: UserId, author: &Author) -> Result<bool> {
    let database = &sign_in.sessions.database;
    let block = async |connection: &mut PgConnection| {
        history::sign(connection, author).await?;
        accounts::block(connection, user_id).await
    };
    let is_new = database.transaction(block).await?;
    end_at_descope(database, &sign_in.sessions.descope, user_id).await;
    Ok(is_new)
}

/// Lets a blocked user sign in again; the sessions from before stay ended. `false` if the user is not blocked.
pub async fn unblock(sign_in: &SignIn, user_id: UserId, author: &Author) -> Result<bool> {
    let unblock = async |connection: &mut PgConnection| {
        history::sign(connection, author).await?;
        accounts::unblock(connection, user_id).await
    };
    sign_in.sessions.database.transaction(unblock).await
}

/// Ends all sessions of a user. 404 for an unknown user.
pub async fn end_sessions(sign_in: &SignIn, user_id: UserId, author: &Author) -> Result<()> {
    let database = &sign_in.sessions.database;
    revoke_all(database, user_id, author).await?;
    end_at_descope(database, &sign_in.sessions.descope, user_id).await;
    Ok(())
}

/// Ends one of a user's sessions; 404 for another user's.
pub async fn end_session(sign_in: &SignIn, user_id: UserId, id: SessionId, author: &Author) -> Result<()> {
    let end = async |connection: &mut PgConnection| {
        let ended = accounts::revoke_session(&mut *connection, user_id, id).await?.ok_or(Error::NotFound("Session"))?;
        if ended.was_active {
            history::sign(connection, author).await?;
            let changes = json!({ "revoked_at": [null, ended.revoked_at] });
            history::record(connection, "user_sessions", &format!("{user_id}/{id}"), Action::Update, &changes).await?;
        }
        Ok::<_, Error>(ended)
    };
    let ended = sign_in.sessions.database.transaction(end).await?;
    sessions::end_revoked(sign_in, user_id, &ended).await;
    Ok(())
}

/// Revokes all sessions of a user, recorded as a change of the user.
pub(super) async fn revoke_all(database: &Database, user_id: UserId, author: &Author) -> Result<()> {
    let revoke = async |connection: &mut PgConnection| {
        accounts::hold(connection, user_id).await?;
        let before = accounts::sessions_revoked_at(&mut *connection, user_id).await?.ok_or(Error::NotFound("User"))?;
        accounts::revoke_sessions(connection, user_id).await?;
        let after = accounts::sessions_revoked_at(&mut *connection, user_id).await?;
        history::sign(connection, author).await?;
        let changes = json!({ "sessions_revoked_at": [before, after] });
        Ok::<_, Error>(history::record(connection, "users", &user_id.to_string(), Action::Update, &changes).await?)
    };
    database.transaction(revoke).await
}

/// Ends at Descope all sessions of a user. They are refused here in any case.
async fn end_at_descope(database: &Database, descope: &Descope, user_id: UserId) {
    let end = async || {
        for identity in accounts::identities(database, user_id).await?.unwrap_or_default() {
            descope.log_out_user(&identity.descope_user_id).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = end().await {
        warn!(%error, "sessions that are ended here go on at Descope");
    }
}

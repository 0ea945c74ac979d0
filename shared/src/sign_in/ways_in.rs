//! Changes of the ways in to an account by its user: adding one needs a fresh proof, and the last one never ends.

use sqlx::{PgConnection, PgExecutor};

use super::{Identifier, sessions::is_active};
use crate::{
    Error, Result,
    accounts::{self, Changed, ProfileChange, User},
    database::Database,
    descope::Channel,
    http::Patch,
    session::Session,
};

/// Refuses a code for a number or address that the account of a session does not have yet, unless the session has a
/// fresh proof. Before the code is used up; [`has_fresh_proof`] decides when it adds one.
pub(super) async fn refuse_stale_proof(
    executor: impl PgExecutor<'_>,
    session: &Session,
    identifier: &Identifier,
) -> Result<()> {
    let may_prove = sqlx::query_scalar!(
        r#"
        select coalesce(session.proved_at > now() - interval '15 minutes', false)
            or (is_phone_verified and phone = $2) is true or (is_email_verified and email = $3) is true
            or (username = $2) is true or (username = $3) is true as "may_prove!"
        from user_sessions session join users on users.id = session.user_id
        where session.id = $1
        "#,
        session.id.0,
        identifier.phone(),
        identifier.email()
    )
    .fetch_optional(executor)
    .await?;
    if may_prove == Some(true) { Ok(()) } else { Err(Error::ProofTooOld) }
}

/// Whether the user of a session has signed in, or proved what the account had before, within it in the last 15 minutes.
pub(super) async fn has_fresh_proof(executor: impl PgExecutor<'_>, session: &Session) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
            select from user_sessions where id = $1 and proved_at > now() - interval '15 minutes'
        ) as "is_fresh!""#,
        session.id.0
    )
    .fetch_one(executor)
    .await
}

/// Records that the user of a session has proved, in it, a number or address that the account had before.
pub(super) async fn note_proof(executor: impl PgExecutor<'_>, session: &Session) -> sqlx::Result<()> {
    sqlx::query!("update user_sessions set proved_at = now() where id = $1", session.id.0)
        .execute(executor)
        .await
        .map(drop)
}

/// Changes the profile of a session's user. A verified number or address that is replaced or removed opens the account
/// no longer; 409 if it is the only way in.
pub async fn change_profile(database: &Database, session: &Session, change: ProfileChange) -> Result<User> {
    let (user_id, roles) = (session.user.id, &session.user.roles);
    let update = async |connection: &mut PgConnection| {
        // Checked under the lock: a change that waited for a takeover of the account finds its session revoked.
        accounts::hold(connection, user_id).await?;
        if !is_active(connection, session.id).await? {
            return Err(Error::SessionRevoked);
        }
        if change.phone.is_sent() || change.email.is_sent() {
            end_replaced(connection, session, &change).await?;
        }
        Ok(accounts::change_profile(connection, user_id, roles, change).await?)
    };
    database.transaction(update).await
}

async fn end_replaced(connection: &mut PgConnection, session: &Session, change: &ProfileChange) -> Result<()> {
    let user_id = session.user.id;
    let now =
        sqlx::query!("select phone, is_phone_verified, email, is_email_verified from users where id = $1", user_id.0)
            .fetch_one(&mut *connection)
            .await?;
    let ends_phone = now.is_phone_verified && is_other(&change.phone, now.phone.as_deref());
    let ends_email = now.is_email_verified && is_other(&change.email, now.email.as_deref());
    if !ends_phone && !ends_email {
        return Ok(());
    }
    if !accounts::has_another_way_in(&mut *connection, user_id, (ends_phone, ends_email)).await? {
        let field = if ends_phone { "phone_number" } else { "email" };
        return Err(Error::conflict(
            field,
            "This is the only way to sign in to this account. Prove another number or address with a code first.",
        ));
    }
    for (ends, channel) in [(ends_phone, Channel::Sms), (ends_email, Channel::Email)] {
        if ends {
            accounts::tell_of_change(&mut *connection, user_id, Changed::of(channel)).await?;
            accounts::end_ways_in(&mut *connection, user_id, channel, None, session.id).await?;
        }
    }
    Ok(())
}

/// Whether a field of the profile is replaced or removed.
fn is_other<T: ToString>(change: &Patch<T>, now: Option<&str>) -> bool {
    match change {
        Patch::Keep => false,
        Patch::Clear => true,
        Patch::Set(value) => now != Some(value.to_string().as_str()),
    }
}

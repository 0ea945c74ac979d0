//! A user's sessions: opened, and ended all at once.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{User, user_in};
use crate::{database::Database, descope::Claims};

/// The clock by which sessions are ended.
pub async fn now(database: &Database) -> sqlx::Result<DateTime<Utc>> {
    let now = |pool| async move { sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(&pool).await };
    database.read(now).await
}

/// Whose a Descope user is, as somebody finds it who asked Descope a while ago.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Our user.
    pub user_id: i64,
    /// Whether no session of the user has had to end meanwhile.
    pub is_undisturbed: bool,
}

/// Whose a Descope user is here, if anybody's, and whether the user's sessions have had to end since then. Whoever is
/// about to end them waits for this transaction.
pub async fn known_since(
    connection: &mut PgConnection,
    descope_user_id: &str,
    moment: DateTime<Utc>,
) -> sqlx::Result<Option<Known>> {
    sqlx::query_as!(
        Known,
        r#"
        select users.id as user_id, users.sessions_revoked_at < $2 as "is_undisturbed!"
        from user_identities identity join users on users.id = identity.user_id
        where identity.descope_user_id = $1
        for share of users
        "#,
        descope_user_id,
        moment
    )
    .fetch_optional(connection)
    .await
}

/// A sign-in as it is written down.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Whose it is.
    pub user_id: i64,
    /// What its newest session token says.
    pub claims: &'a Claims,
    /// The SHA-256 of that token.
    pub token_sha256: [u8; 32],
    /// The SHA-256 of the refresh token, and the token sealed; absent if it is not known here.
    pub refresh_token: Option<([u8; 32], Vec<u8>)>,
    /// What the client calls itself.
    pub user_agent: &'a str,
    /// Where it is.
    pub ip_address: &'a str,
}

/// Writes a session with its tokens; answers its id and its user. Descope may give two sign-ins within a second the same
/// token: then they are one session. The caller holds the [`lock`](super::lock).
pub async fn open_session(connection: &mut PgConnection, new: NewSession<'_>) -> sqlx::Result<(i64, User)> {
    let (refresh_token_sha256, refresh_token_sealed) = new.refresh_token.unzip();
    let row = sqlx::query!(
        r#"
        with known as (
            select session_id as id from session_tokens where token_sha256 = $7
        ), session as (
            insert into user_sessions (user_id, descope_user_id, refresh_token_sealed, user_agent, ip_address, expires_at)
            select $1, $2, $3, $4, $5, $6 where not exists (select from known)
            returning id
        ), tokens as (
            insert into session_tokens (token_sha256, kind, session_id, expires_at)
            select token.sha256, token.kind, session.id, token.expires_at
            from session, (values
                ($7::bytea, 'session'::token_kind, $8::timestamptz), ($9::bytea, 'refresh', $6)
            ) as token (sha256, kind, expires_at)
            where token.sha256 is not null
            on conflict (token_sha256) do nothing
        )
        select opened.id as "session_id!", users.id, username, email, is_email_verified, phone, is_phone_verified,
            first_name, last_name, profile_picture, created_at, updated_at
        from (select id from session union all select id from known) as opened, users
        where users.id = $1
        "#,
        new.user_id,
        new.claims.user_id(),
        refresh_token_sealed,
        new.user_agent,
        new.ip_address,
        new.claims.session_ends_at(),
        &new.token_sha256,
        new.claims.expires_at(),
        refresh_token_sha256.as_ref().map(<[u8; 32]>::as_slice) as Option<&[u8]>
    )
    .fetch_one(connection)
    .await?;
    Ok((row.session_id, user_in!(row, new.claims.roles().to_vec())))
}

/// Ends all sessions of a user here, known or not. They are still to be ended at Descope.
///
/// Two statements: whoever opens a session holds the row of the user, and what they wrote while the first one waited is
/// seen by the second.
pub async fn revoke_sessions(connection: &mut PgConnection, user_id: i64) -> sqlx::Result<()> {
    sqlx::query!("update users set sessions_revoked_at = clock_timestamp() where id = $1", user_id)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("update user_sessions set revoked_at = now() where user_id = $1 and revoked_at is null", user_id)
        .execute(connection)
        .await
        .map(drop)
}

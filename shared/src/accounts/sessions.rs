//! Rows of a user's sessions: opening, listing and revoking them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use super::{User, learn_roles, user_in, ways_in::tell_of_new_device};
use crate::{
    Error, Result,
    database::Database,
    descope::Claims,
    ids::{SessionId, UserId},
    logging::name_actor,
};

/// The database's clock, by which sessions are revoked.
pub async fn now(database: &Database) -> sqlx::Result<DateTime<Utc>> {
    let now = |pool| async move { sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(&pool).await };
    database.read(now).await
}

/// The user of a Descope user, looked up after a call to Descope.
#[derive(Clone, Copy, Debug)]
pub struct KnownUser {
    pub user_id: UserId,
    /// Whether the user's sessions were not revoked during the call.
    pub is_undisturbed: bool,
}

/// The user of a Descope user, `None` if it is not linked, and whether the user's sessions were revoked since `moment`.
/// A concurrent revocation waits for this transaction.
pub async fn known_since(
    connection: &mut PgConnection,
    descope_user_id: &str,
    moment: DateTime<Utc>,
) -> sqlx::Result<Option<KnownUser>> {
    sqlx::query_as!(
        KnownUser,
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

/// A session to be written.
#[derive(Debug)]
pub struct NewSession<'a> {
    pub user_id: UserId,
    /// Of the newest session token.
    pub claims: &'a Claims,
    /// Of the same token.
    pub token_sha256: [u8; 32],
    /// SHA-256 of the refresh token, and the sealed token; `None` if it is unknown here.
    pub refresh_token: Option<([u8; 32], Vec<u8>)>,
    /// Whether the user has just signed in here.
    pub is_proof: bool,
    pub user_agent: &'a str,
    pub ip_address: &'a str,
}

/// Writes a session with its tokens; returns its id and its user, 403 if the user is blocked. Descope may issue the same
/// token to two sign-ins within a second: they share one session. The caller holds the [`lock`](super::lock), and the
/// user's row against blocking, and rolls back a refusal.
pub async fn open_session(connection: &mut PgConnection, new: NewSession<'_>) -> Result<(SessionId, User)> {
    let (refresh_token_sha256, refresh_token_sealed) = new.refresh_token.unzip();
    let row = sqlx::query!(
        r#"
        with known as (
            select session_id as id from session_tokens where token_sha256 = $7
        ), session as (
            insert into user_sessions (
                user_id, descope_user_id, refresh_token_sealed, user_agent, ip_address, expires_at, proved_at
            )
            select $1, $2, $3, $4, $5, $6, case when $12 then now() end where not exists (select from known)
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
            first_name, last_name, profile_picture, created_at, updated_at,
            roles_that_count($2, users.id, $10, $11::text[]) as "roles!", roles_are_news($2, $10, $11) as "are_news!",
            $12 and exists (select from session) and has_new_device(users.id, $4) as "has_new_device!"
        from (select id from session union all select id from known) as opened, users
        where users.id = $1 and users.blocked_at is null
        "#,
        new.user_id.0,
        new.claims.user_id(),
        refresh_token_sealed,
        new.user_agent,
        new.ip_address,
        new.claims.session_ends_at(),
        &new.token_sha256,
        new.claims.expires_at(),
        refresh_token_sha256.as_ref().map(<[u8; 32]>::as_slice) as Option<&[u8]>,
        new.claims.issued_at(),
        new.claims.roles(),
        new.is_proof
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(Error::Blocked)?;
    if row.are_news {
        learn_roles(connection, new.claims).await?;
    }
    if row.has_new_device {
        tell_of_new_device(connection, new.user_id).await?;
    }
    name_actor(format_args!("user:{}", row.id));
    Ok((SessionId(row.session_id), user_in!(row, row.roles)))
}

/// Revokes all sessions of a user here, including those without a row. The caller still has to end them at Descope.
///
/// Must be two statements: opening a session locks the user's row, and only the second statement's snapshot has the
/// sessions that were opened while the first one waited.
pub async fn revoke_sessions(connection: &mut PgConnection, user_id: UserId) -> sqlx::Result<()> {
    sqlx::query!("update users set sessions_revoked_at = clock_timestamp() where id = $1", user_id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("update user_sessions set revoked_at = now() where user_id = $1 and revoked_at is null", user_id.0)
        .execute(connection)
        .await
        .map(drop)
}

const LONGEST_LIST: i64 = 100;

/// A session as its user sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct ListedSession {
    #[schema(value_type = i64)]
    id: SessionId,
    #[serde(with = "crate::http::time")]
    created_at: DateTime<Utc>,
    /// Noted once a minute.
    #[serde(with = "crate::http::time")]
    last_seen_at: DateTime<Utc>,
    /// When its refresh token ends.
    #[serde(with = "crate::http::time")]
    expires_at: DateTime<Utc>,
    is_active: bool,
    /// Whether it is the one of this request.
    is_current: bool,
    user_agent: String,
    ip_address: String,
}

/// A user's newest sessions, newest first, ended ones included.
pub async fn list_sessions(
    database: &Database,
    user_id: UserId,
    current: SessionId,
) -> sqlx::Result<Vec<ListedSession>> {
    sqlx::query_as!(
        ListedSession,
        r#"
        select id, created_at, last_seen_at, expires_at, revoked_at is null and expires_at > now() as "is_active!",
            id = $2 as "is_current!", user_agent, ip_address
        from user_sessions
        where user_id = $1
        order by id desc
        limit $3
        "#,
        user_id.0,
        current.0,
        LONGEST_LIST
    )
    .fetch_all(&database.pool())
    .await
}

/// Result of [`revoke_session`].
#[derive(Debug)]
pub struct RevokedSession {
    pub descope_user_id: String,
    pub revoked_at: DateTime<Utc>,
    /// Whether it was not revoked before.
    pub was_active: bool,
    /// Whether it was active and its refresh token is unknown here: Descope can end it only with the user's others.
    pub is_unknown_to_us: bool,
}

/// Revokes one of a user's sessions; `None` if the user has no such session.
pub async fn revoke_session(
    executor: impl PgExecutor<'_>,
    user_id: UserId,
    id: SessionId,
) -> sqlx::Result<Option<RevokedSession>> {
    sqlx::query_as!(
        RevokedSession,
        r#"
        update user_sessions session set revoked_at = coalesce(session.revoked_at, now())
        from user_sessions before
        where session.id = $1 and session.user_id = $2 and before.id = session.id
        returning session.descope_user_id, session.revoked_at as "revoked_at!", before.revoked_at is null as "was_active!",
            before.revoked_at is null and session.refresh_token_sealed is null as "is_unknown_to_us!"
        "#,
        id.0,
        user_id.0
    )
    .fetch_optional(executor)
    .await
}

/// When all sessions of a user were last revoked, as JSON: null if never. `None` if there is no such user.
pub async fn sessions_revoked_at(executor: impl PgExecutor<'_>, user_id: UserId) -> sqlx::Result<Option<Value>> {
    sqlx::query_scalar!(
        r#"
        select case when isfinite(sessions_revoked_at) then to_jsonb(sessions_revoked_at) else 'null' end as "moment!"
        from users where id = $1
        "#,
        user_id.0
    )
    .fetch_optional(executor)
    .await
}

//! Users as the shop's administrators see them.

use chrono::{DateTime, Utc};

use crate::{
    database::Database,
    ids::{SessionId, UserId},
};

/// Maximum number of sessions in one list.
const LONGEST_LIST: i64 = 100;

/// A user, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: UserId,
    /// The login id that the account was created with.
    pub username: String,
    pub email: Option<String>,
    pub is_email_verified: bool,
    /// In E.164.
    pub phone: Option<String>,
    pub is_phone_verified: bool,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// As last seen at Descope, in alphabetical order.
    pub roles: Vec<String>,
    pub blocked_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// Last change of the profile.
    pub updated_at: DateTime<Utc>,
}

/// A user; `None` if there is none.
pub async fn show(database: &Database, user_id: UserId) -> sqlx::Result<Option<Account>> {
    let show = |pool| async move {
        sqlx::query_as!(
            Account,
            "select id, username, email, is_email_verified, phone, is_phone_verified, first_name, last_name, roles,
                blocked_at, created_at, updated_at
            from users where id = $1",
            user_id.0
        )
        .fetch_optional(&pool)
        .await
    };
    database.read(show).await
}

/// A session of a user. Its tokens are not shown to anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    pub id: SessionId,
    pub created_at: DateTime<Utc>,
    /// Noted once a minute.
    pub last_seen_at: DateTime<Utc>,
    /// When its refresh token ends.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before that.
    pub ended_at: Option<DateTime<Utc>>,
    pub is_active: bool,
    pub user_agent: String,
    pub ip_address: String,
}

/// The newest sessions of a user, newest first, ended ones included.
pub async fn sessions_of(database: &Database, user_id: UserId) -> sqlx::Result<Vec<SessionRecord>> {
    let sessions = |pool| async move {
        sqlx::query_as!(
            SessionRecord,
            r#"
            select id, created_at, last_seen_at, expires_at, revoked_at as ended_at,
                revoked_at is null and expires_at > now() as "is_active!", user_agent, ip_address
            from user_sessions
            where user_id = $1
            order by id desc
            limit $2
            "#,
            user_id.0,
            LONGEST_LIST
        )
        .fetch_all(&pool)
        .await
    };
    database.read(sessions).await
}

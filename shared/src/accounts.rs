//! Users, the identities at Descope that are theirs, and their sessions, as the database has them.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    descope::{self, Channel, Claims},
    email::Email,
    phone::Phone,
};

/// Roles at Descope whose holders work in the shop.
pub const STAFF_ROLES: [&str; 2] = ["staff", ADMIN_ROLE];
/// The role at Descope whose holders run the shop.
pub const ADMIN_ROLE: &str = "admin";

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Ours; Descope has its own.
    pub id: i64,
    /// What the account was made with.
    pub username: String,
    /// In lower case.
    pub email: Option<String>,
    /// Whether the user has proved the address; nobody else has.
    pub is_email_verified: bool,
    /// In E.164.
    pub phone: Option<String>,
    /// Whether the user has proved the number; nobody else has.
    pub is_phone_verified: bool,
    /// May be empty, as the last name.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// An https URL.
    pub profile_picture: Option<String>,
    /// Roles at Descope, as the token tells them that was shown.
    pub roles: Vec<String>,
    /// When the account was made here.
    pub created_at: DateTime<Utc>,
    /// When the profile was last changed.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// The number whose bookings are the user's.
    pub fn verified_phone(&self) -> Option<&str> {
        self.phone.as_deref().filter(|_| self.is_phone_verified)
    }

    /// Whether the user works in the shop.
    pub fn is_staff(&self) -> bool {
        self.roles.iter().any(|role| STAFF_ROLES.contains(&role.as_str()))
    }

    /// Whether the user runs the shop.
    pub fn is_superuser(&self) -> bool {
        self.roles.iter().any(|role| role == ADMIN_ROLE)
    }
}

impl std::fmt::Debug for User {
    // Nobody's address or number belongs into a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Whose a Descope user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Our user.
    pub user_id: i64,
    /// Whether somebody has shown that its address or number is theirs.
    pub is_proven: bool,
}

/// What is known of a user who is new here.
#[derive(Clone, Default)]
pub struct NewUser {
    /// The address or number that the account is made with.
    pub username: String,
    /// The address.
    pub email: Option<Email>,
    /// Whether it has been proved.
    pub is_email_verified: bool,
    /// The number.
    pub phone: Option<Phone>,
    /// Whether it has been proved.
    pub is_phone_verified: bool,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
}

impl From<&descope::User> for NewUser {
    /// What Descope says of a user; what is not in a form of ours is left out. Only what is the one way in is verified:
    /// a user with several may have been made by one person and proved by another.
    fn from(user: &descope::User) -> Self {
        let (email, phone) = (user.email.parse::<Email>().ok(), user.phone.parse::<Phone>().ok());
        let proved = user.proved().map(|(channel, _)| channel);
        Self {
            username: user.login_ids.first().unwrap_or(&user.user_id).clone(),
            is_email_verified: proved == Some(Channel::Email) && email.is_some(),
            email,
            is_phone_verified: proved == Some(Channel::Sms) && phone.is_some(),
            phone,
            first_name: user.given_name.clone(),
            last_name: user.family_name.clone(),
        }
    }
}

/// Lets one transaction at a time work on what belongs to a Descope user, from here to its end: two first requests of
/// one person must not make two accounts.
pub async fn lock(connection: &mut PgConnection, descope_user_id: &str) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", descope_user_id)
        .execute(connection)
        .await
        .map(drop)
}

/// Whose a Descope user is here, if anybody's.
pub async fn identity(executor: impl PgExecutor<'_>, descope_user_id: &str) -> sqlx::Result<Option<Identity>> {
    sqlx::query_as!(
        Identity,
        "select user_id, is_proven from user_identities where descope_user_id = $1",
        descope_user_id
    )
    .fetch_optional(executor)
    .await
}

/// Whose a Descope user is. One who is new here becomes a user with what Descope says of them, if that is known: `None`
/// without. The caller holds the [`lock`].
pub async fn adopt(
    connection: &mut PgConnection,
    descope_user_id: &str,
    stranger: Option<&descope::User>,
) -> sqlx::Result<Option<i64>> {
    if let Some(identity) = identity(&mut *connection, descope_user_id).await? {
        return Ok(Some(identity.user_id));
    }
    let Some(stranger) = stranger else { return Ok(None) };
    let user_id = create(connection, &NewUser::from(stranger)).await?;
    let proved = stranger.proved();
    let phone = proved.filter(|(channel, _)| *channel == Channel::Sms).map(|(_, phone)| phone);
    link(connection, descope_user_id, user_id, phone, proved.is_some()).await?;
    Ok(Some(user_id))
}

/// Makes a user. What somebody else has proved to be theirs is not verified for another.
pub async fn create(connection: &mut PgConnection, new: &NewUser) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "
        insert into users (username, email, is_email_verified, phone, is_phone_verified, first_name, last_name)
        values (
            $1, $2, $3 and not exists (select from users where email = $2 and is_email_verified),
            $4, $5 and not exists (select from users where phone = $4 and is_phone_verified), $6, $7
        )
        returning id
        ",
        new.username,
        new.email.as_ref().map(Email::as_str),
        new.is_email_verified,
        new.phone.as_ref().map(Phone::as_str),
        new.is_phone_verified,
        new.first_name,
        new.last_name
    )
    .fetch_one(connection)
    .await
}

/// Makes a Descope user somebody's. It never becomes another's; once proven it stays so.
pub async fn link(
    connection: &mut PgConnection,
    descope_user_id: &str,
    user_id: i64,
    phone: Option<&str>,
    is_proven: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        insert into user_identities as identity (descope_user_id, user_id, phone, is_proven) values ($1, $2, $3, $4)
        on conflict (descope_user_id) do update set
            phone = coalesce(excluded.phone, identity.phone), is_proven = identity.is_proven or excluded.is_proven
        ",
        descope_user_id,
        user_id,
        phone,
        is_proven
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets a Descope user who is no more, with the sessions that were opened as that user.
pub async fn unlink(connection: &mut PgConnection, descope_user_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with identity as (
            delete from user_identities where descope_user_id = $1
        )
        update user_sessions set revoked_at = coalesce(revoked_at, now()), refresh_token_sealed = null
        where descope_user_id = $1
        ",
        descope_user_id
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Keeps a user as it is until the transaction ends: nobody else changes it, ends its sessions or takes its identities
/// away. The first row that is locked of all that belongs to a user.
pub async fn hold(connection: &mut PgConnection, user_id: i64) -> sqlx::Result<()> {
    sqlx::query!("select id from users where id = $1 for no key update", user_id)
        .fetch_optional(connection)
        .await
        .map(drop)
}

/// The clock by which sessions are ended.
pub async fn now(executor: impl PgExecutor<'_>) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(executor).await
}

/// Whether no session of a user has had to end since then. Whoever is about to end them waits for this transaction.
pub async fn is_undisturbed_since(
    connection: &mut PgConnection,
    user_id: i64,
    moment: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select sessions_revoked_at < $2 as "is_undisturbed!" from users where id = $1 for share"#,
        user_id,
        moment
    )
    .fetch_one(connection)
    .await
}

/// The user with this id, who has shown these roles.
pub async fn load(executor: impl PgExecutor<'_>, user_id: i64, roles: &[String]) -> sqlx::Result<User> {
    sqlx::query_as!(
        User,
        r#"
        select id, username, email, is_email_verified, phone, is_phone_verified, first_name, last_name,
            profile_picture, created_at, updated_at, $2::text[] as "roles!"
        from users where id = $1
        "#,
        user_id,
        roles
    )
    .fetch_one(executor)
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

/// Writes a session with its tokens; answers its id. Descope may give two sign-ins within a second the same token: then
/// they are one session. The caller holds the [`lock`].
pub async fn open_session(connection: &mut PgConnection, new: NewSession<'_>) -> sqlx::Result<i64> {
    let (refresh_token_sha256, refresh_token_sealed) = new.refresh_token.unzip();
    sqlx::query_scalar!(
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
        select id as "id!" from session union all select id from known
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
    .await
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

/// Leaves an account no identity but this one, and nothing that counts as proved: what was proved before may have been
/// so by somebody else.
pub async fn close_other_ways_in(
    executor: impl PgExecutor<'_>,
    user_id: i64,
    descope_user_id: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with closed as (
            delete from user_identities where user_id = $1 and descope_user_id <> $2
        )
        update users set is_phone_verified = false, is_email_verified = false where id = $1
        ",
        user_id,
        descope_user_id
    )
    .execute(executor)
    .await
    .map(drop)
}

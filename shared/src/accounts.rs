//! Users, the identities at Descope that are theirs, and their sessions, as the database has them.

mod sessions;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

pub use sessions::{
    KnownUser, Listed, NewSession, known_since, list_sessions, now, open_session, revoke_session, revoke_sessions,
};

use crate::{
    database::Database,
    descope::{self, Channel},
    email::Email,
    http::Patch,
    ids::UserId,
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
    pub id: UserId,
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

/// The user in a row that tells more than that, with the roles that the user has shown.
macro_rules! user_in {
    ($row:ident, $roles:expr) => {
        $crate::accounts::User {
            id: $crate::ids::UserId($row.id),
            username: $row.username,
            email: $row.email,
            is_email_verified: $row.is_email_verified,
            phone: $row.phone,
            is_phone_verified: $row.is_phone_verified,
            first_name: $row.first_name,
            last_name: $row.last_name,
            profile_picture: $row.profile_picture,
            roles: $roles,
            created_at: $row.created_at,
            updated_at: $row.updated_at,
        }
    };
}
pub(crate) use user_in;

/// Whose a Descope user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Our user.
    pub user_id: UserId,
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

/// Lets one transaction at a time work on what belongs to a Descope user, a number or an address, from here to its end:
/// two first requests of one person must not make two accounts. The Descope user comes last, whoever locks several.
///
/// A statement of its own: one that waits goes on with what it saw before.
pub async fn lock(connection: &mut PgConnection, names: &[&str]) -> sqlx::Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest($1::text[]) as name",
        names as &[&str]
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Whose a Descope user is here, if anybody's.
pub async fn identity(database: &Database, descope_user_id: &str) -> sqlx::Result<Option<Identity>> {
    database.read(|pool| async move { identity_in(&pool, descope_user_id).await }).await
}

/// The same within a transaction.
pub async fn identity_in(executor: impl PgExecutor<'_>, descope_user_id: &str) -> sqlx::Result<Option<Identity>> {
    sqlx::query_as!(
        Identity,
        "select user_id, is_proven from user_identities where descope_user_id = $1",
        descope_user_id
    )
    .fetch_optional(executor)
    .await
}

/// Whose a Descope user is. One who is new here becomes a user with what Descope says of them, if that is known: `None`
/// without. What it has proved to Descope was not proved to us: somebody else may hold a refresh token since before. The
/// caller holds the [`lock`].
pub async fn adopt(
    connection: &mut PgConnection,
    descope_user_id: &str,
    stranger: Option<&descope::User>,
) -> sqlx::Result<Option<UserId>> {
    if let Some(identity) = identity_in(&mut *connection, descope_user_id).await? {
        return Ok(Some(identity.user_id));
    }
    let Some(stranger) = stranger else { return Ok(None) };
    let user_id = create(connection, &NewUser::from(stranger)).await?;
    let proved = stranger.proved();
    let phone = proved.filter(|(channel, _)| *channel == Channel::Sms).map(|(_, phone)| phone);
    link(connection, descope_user_id, user_id, phone, false).await?;
    Ok(Some(user_id))
}

/// Makes a user. What somebody else has proved to be theirs is not verified for another.
pub async fn create(connection: &mut PgConnection, new: &NewUser) -> sqlx::Result<UserId> {
    let id = sqlx::query_scalar!(
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
    .await?;
    Ok(UserId(id))
}

/// Makes a Descope user somebody's. It never becomes another's; once proven it stays so.
pub async fn link(
    connection: &mut PgConnection,
    descope_user_id: &str,
    user_id: UserId,
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
        user_id.0,
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
pub async fn hold(connection: &mut PgConnection, user_id: UserId) -> sqlx::Result<()> {
    sqlx::query!("select id from users where id = $1 for no key update", user_id.0)
        .fetch_optional(connection)
        .await
        .map(drop)
}

/// The user with this id, who has shown these roles.
pub async fn load(executor: impl PgExecutor<'_>, user_id: UserId, roles: &[String]) -> sqlx::Result<User> {
    sqlx::query_as!(
        User,
        r#"
        select id, username, email, is_email_verified, phone, is_phone_verified, first_name, last_name,
            profile_picture, created_at, updated_at, $2::text[] as "roles!"
        from users where id = $1
        "#,
        user_id.0,
        roles
    )
    .fetch_one(executor)
    .await
}

/// Leaves an account no identity but this one, and nothing that counts as proved: what was proved before may have been
/// so by somebody else.
pub async fn close_other_ways_in(
    executor: impl PgExecutor<'_>,
    user_id: UserId,
    descope_user_id: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with closed as (
            delete from user_identities where user_id = $1 and descope_user_id <> $2
        )
        update users set is_phone_verified = false, is_email_verified = false where id = $1
        ",
        user_id.0,
        descope_user_id
    )
    .execute(executor)
    .await
    .map(drop)
}

/// What a user changes of the profile. A new number or address is unverified.
#[derive(Debug)]
pub struct ProfileChange {
    pub first_name: Patch<String>,
    pub last_name: Patch<String>,
    /// An https URL.
    pub profile_picture: Patch<String>,
    pub email: Patch<Email>,
    pub phone: Patch<Phone>,
}

/// Changes the profile of a user whom the caller [holds](hold).
pub async fn change_profile(
    connection: &mut PgConnection,
    user_id: UserId,
    roles: &[String],
    change: ProfileChange,
) -> sqlx::Result<User> {
    sqlx::query_as!(
        User,
        r#"
        update users set
            first_name = case when $2 then coalesce($3, '') else first_name end,
            last_name = case when $4 then coalesce($5, '') else last_name end,
            profile_picture = case when $6 then $7 else profile_picture end,
            email = case when $8 then $9 else email end,
            is_email_verified = is_email_verified and (not $8 or email is not distinct from $9),
            phone = case when $10 then $11 else phone end,
            is_phone_verified = is_phone_verified and (not $10 or phone is not distinct from $11),
            updated_at = now()
        where id = $1
        returning id, username, email, is_email_verified, phone, is_phone_verified, first_name, last_name,
            profile_picture, created_at, updated_at, $12::text[] as "roles!"
        "#,
        user_id.0,
        change.first_name.is_sent(),
        change.first_name.value(),
        change.last_name.is_sent(),
        change.last_name.value(),
        change.profile_picture.is_sent(),
        change.profile_picture.value(),
        change.email.is_sent(),
        change.email.value().map(|email| email.to_string()),
        change.phone.is_sent(),
        change.phone.value().map(|phone| phone.to_string()),
        roles
    )
    .fetch_one(connection)
    .await
}

/// Takes every number but this one from the identities of a user: the number used before may soon be another person's.
pub async fn give_up_other_numbers(connection: &mut PgConnection, user_id: UserId, phone: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from user_identities where user_id = $1 and phone <> $2", user_id.0, phone)
        .execute(connection)
        .await
        .map(drop)
}

/// A Descope user of an account, beside the one that is dealt with.
#[derive(Debug)]
pub struct OtherIdentity {
    pub descope_user_id: String,
    /// Whether it signs in with a number rather than a password.
    pub is_phone: bool,
}

pub async fn other_identities(
    database: &Database,
    user_id: UserId,
    descope_user_id: &str,
) -> sqlx::Result<Vec<OtherIdentity>> {
    sqlx::query_as!(
        OtherIdentity,
        r#"
        select descope_user_id, phone is not null as "is_phone!" from user_identities
        where user_id = $1 and descope_user_id <> $2
        "#,
        user_id.0,
        descope_user_id
    )
    .fetch_all(&database.pool())
    .await
}

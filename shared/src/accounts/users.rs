//! Users, table `users`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    descope::{self, Channel, Claims},
    email::Email,
    http::Patch,
    ids::UserId,
    phone::Phone,
    text::cleansed,
};

/// Descope roles of the shop's staff.
pub const STAFF_ROLES: [&str; 2] = [STAFF_ROLE, ADMIN_ROLE];
/// Descope role of staff without the rights of administrators.
pub const STAFF_ROLE: &str = "staff";
/// Descope role of the shop's administrators.
pub const ADMIN_ROLE: &str = "admin";

/// A row of `users`, with the roles of the session token.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Our id, not Descope's.
    pub id: UserId,
    /// The login id that the account was created with.
    pub username: String,
    /// In lower case.
    pub email: Option<String>,
    /// Whether the user has proved the address. At most one user has.
    pub is_email_verified: bool,
    /// In E.164.
    pub phone: Option<String>,
    /// Whether the user has proved the number. At most one user has.
    pub is_phone_verified: bool,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// An https URL.
    pub profile_picture: Option<String>,
    /// The Descope roles of the session token that count: none before an address or number is proved here, and those noted
    /// here if they were changed since the token was issued.
    pub roles: Vec<String>,
    /// Of the row here, not of the Descope user.
    pub created_at: DateTime<Utc>,
    /// Last change of the profile.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// The verified number: bookings with it belong to the user.
    pub fn verified_phone(&self) -> Option<&str> {
        self.phone.as_deref().filter(|_| self.is_phone_verified)
    }

    /// The user name, where apps show it as a name: never a phone number.
    pub fn public_name(&self) -> String {
        let is_number = self.username.parse::<Phone>().is_ok();
        if is_number { format!("user_{}", self.id.0) } else { self.username.clone() }
    }

    /// Whether the user has a staff role; administrators have one.
    pub fn is_staff(&self) -> bool {
        self.roles.iter().any(|role| STAFF_ROLES.contains(&role.as_str()))
    }

    /// The role of the shop with the most rights; staff for a user who has none.
    pub fn staff_role(&self) -> &'static str {
        if self.is_superuser() { ADMIN_ROLE } else { STAFF_ROLE }
    }

    /// Whether the user is an administrator.
    pub fn is_superuser(&self) -> bool {
        self.roles.iter().any(|role| role == ADMIN_ROLE)
    }
}

impl std::fmt::Debug for User {
    // Addresses and numbers must not be logged.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Builds a `User` from a row that has other columns as well, and from the roles of the session token.
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

/// The fields of a user to be created.
#[derive(Clone, Default)]
pub struct NewUser {
    /// The address or number that the account is created with.
    pub username: String,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
}

impl From<&descope::User> for NewUser {
    /// Maps a Descope user and drops a malformed address or number.
    fn from(user: &descope::User) -> Self {
        Self {
            username: user.login_ids.first().unwrap_or(&user.user_id).clone(),
            email: user.email.parse().ok(),
            phone: user.phone.parse().ok(),
            first_name: cleansed(&user.given_name),
            last_name: cleansed(&user.family_name),
        }
    }
}

/// Creates a user, with nothing verified: only a proof here verifies a number or address.
pub async fn create(connection: &mut PgConnection, new: &NewUser) -> sqlx::Result<UserId> {
    let id = sqlx::query_scalar!(
        "
        insert into users (username, email, phone, first_name, last_name) values ($1, $2, $3, $4, $5) returning id
        ",
        new.username,
        new.email.as_ref().map(Email::as_str),
        new.phone.as_ref().map(Phone::as_str),
        new.first_name,
        new.last_name
    )
    .fetch_one(connection)
    .await?;
    Ok(UserId(id))
}

/// Verifies the number or address of a new user for whom a deployer vouches, unless another user has proved it.
pub async fn vouch_for(executor: impl PgExecutor<'_>, user_id: UserId, channel: Channel) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update users set
            is_phone_verified = $2 and phone is not null
                and not exists (select from users other where other.phone = users.phone and other.is_phone_verified),
            is_email_verified = not $2 and email is not null
                and not exists (select from users other where other.email = users.email and other.is_email_verified)
        where id = $1
        ",
        user_id.0,
        channel == Channel::Sms
    )
    .execute(executor)
    .await
    .map(drop)
}

/// Loads a user, with the roles of the session token if they count.
pub async fn load(executor: impl PgExecutor<'_>, user_id: UserId, claims: &Claims) -> sqlx::Result<User> {
    sqlx::query_as!(
        User,
        r#"
        select id, username, email, is_email_verified, phone, is_phone_verified, first_name, last_name,
            profile_picture, created_at, updated_at, roles_that_count($3, id, $4, $2::text[]) as "roles!"
        from users where id = $1
        "#,
        user_id.0,
        claims.roles(),
        claims.user_id(),
        claims.issued_at()
    )
    .fetch_one(executor)
    .await
}

/// Locks a user's row until the transaction ends, against changes, revocation of its sessions and removal of its
/// identities. Lock order: this row before all other rows of the user.
pub async fn hold(connection: &mut PgConnection, user_id: UserId) -> sqlx::Result<()> {
    sqlx::query!("select id from users where id = $1 for no key update", user_id.0)
        .fetch_optional(connection)
        .await
        .map(drop)
}

/// A change of a user's profile. A new number or address is unverified.
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

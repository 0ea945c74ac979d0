//! Descope users of an account, table `user_identities`.

use sqlx::{PgConnection, PgExecutor};

use super::users::{NewUser, create};
use crate::{
    database::Database,
    descope::{self, Channel},
    ids::UserId,
};

/// The link from a Descope user to our user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user_id: UserId,
    /// Whether the Descope user's address or number was proved here, not only at Descope.
    pub is_proven: bool,
}

/// Takes advisory locks on Descope user ids, numbers or addresses until the transaction ends, so that two concurrent
/// first requests of one person do not create two accounts. Lock order: the Descope user id last.
///
/// Must be its own statement: in READ COMMITTED a statement that waited for a lock keeps the snapshot it took before.
pub async fn lock(connection: &mut PgConnection, names: &[&str]) -> sqlx::Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest($1::text[]) as name",
        names as &[&str]
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The identity of a Descope user; `None` if it is not linked to a user.
pub async fn identity(database: &Database, descope_user_id: &str) -> sqlx::Result<Option<Identity>> {
    database.read(|pool| async move { identity_in(&pool, descope_user_id).await }).await
}

/// [`identity`] within a transaction.
pub async fn identity_in(executor: impl PgExecutor<'_>, descope_user_id: &str) -> sqlx::Result<Option<Identity>> {
    sqlx::query_as!(
        Identity,
        "select user_id, is_proven from user_identities where descope_user_id = $1",
        descope_user_id
    )
    .fetch_optional(executor)
    .await
}

/// Returns the user of a Descope user. If it is not linked, creates and links a user from `stranger`, its data at
/// Descope; `None` without that. The link is unproven, because a proof to Descope is not a proof here: another person
/// may hold an earlier refresh token. The caller holds the [`lock`].
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

/// Links a Descope user to a user. An existing link never moves to another user, and a proven one stays proven.
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

/// Removes the link of a deleted Descope user, and revokes the sessions that were opened as it.
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

/// Deletes all other identities of an account and unverifies its number and address: another person may have proved
/// them. What stays in the profile is text that opens nothing.
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

/// A Descope user of an account.
#[derive(Clone, Debug)]
pub struct LinkedIdentity {
    pub descope_user_id: String,
    /// Whether the Descope user's address or number was proved here.
    pub is_proven: bool,
}

/// The Descope users of an account; `None` if there is no such user.
pub async fn identities(database: &Database, user_id: UserId) -> sqlx::Result<Option<Vec<LinkedIdentity>>> {
    let linked = |pool| async move {
        sqlx::query!(
            r#"
            select descope_user_id as "descope_user_id?", is_proven as "is_proven?"
            from users left join user_identities identity on identity.user_id = users.id
            where users.id = $1
            order by identity.created_at, descope_user_id
            "#,
            user_id.0
        )
        .fetch_all(&pool)
        .await
    };
    let rows = database.read(linked).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let identity = |(descope_user_id, is_proven)| LinkedIdentity { descope_user_id, is_proven };
    Ok(Some(rows.into_iter().filter_map(|row| row.descope_user_id.zip(row.is_proven)).map(identity).collect()))
}

/// The address of an account, proved or not.
pub async fn address_of(database: &Database, user_id: UserId) -> sqlx::Result<Option<String>> {
    let address = |pool| async move {
        sqlx::query_scalar!("select email from users where id = $1", user_id.0).fetch_optional(&pool).await
    };
    Ok(database.read(address).await?.flatten())
}

/// Another Descope user of the same account.
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

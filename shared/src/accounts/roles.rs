//! Roles of users as last seen at Descope, and claims that keep a user's roles to one change at a time.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::{ADMIN_ROLE, lock};
use crate::{
    Error, Result,
    database::Database,
    descope::Claims,
    history::{self, Author},
    ids::UserId,
};

/// Longer than any change of roles takes.
const LONGEST_CHANGE: TimeDelta = TimeDelta::minutes(1);
/// The name of the lock under which administrators are counted.
const ADMINISTRATORS: &str = "administrators";

/// Writes the roles of a Descope user, as Descope has them now.
pub async fn note_roles(
    executor: impl PgExecutor<'_>,
    descope_user_id: &str,
    roles: &[impl AsRef<str> + Sync],
) -> sqlx::Result<()> {
    let roles: Vec<&str> = roles.iter().map(AsRef::as_ref).collect();
    sqlx::query!(
        "
        update user_identities set roles = present.roles
        from (select array(select distinct role from unnest($2::text[]) as role order by role) as roles) as present
        where descope_user_id = $1 and user_identities.roles <> present.roles
        ",
        descope_user_id,
        &roles as &[&str]
    )
    .execute(executor)
    .await
    .map(drop)
}

/// Writes the roles of a token that differ from those known here.
pub(crate) async fn learn_roles(connection: &mut PgConnection, claims: &Claims) -> sqlx::Result<()> {
    history::sign(connection, &Author::descope()).await?;
    note_roles(connection, claims.user_id(), claims.roles()).await
}

/// Makes the roles that are noted here count, and not those of a token that was issued before now. Ten seconds are added,
/// because Descope's clock may be ahead of Postgres'.
pub async fn note_change_of_roles(executor: impl PgExecutor<'_>, user_id: UserId) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set roles_changed_at = clock_timestamp() + interval '10 seconds' where id = $1",
        user_id.0
    )
    .execute(executor)
    .await
    .map(drop)
}

/// The right to change a user's roles.
#[derive(Clone, Copy, Debug)]
pub struct RoleClaim(i64);

/// What a change may take from a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// The role of administrators stays, if the user has it.
    NoAdmin,
    /// It may go if there is another administrator.
    AnAdmin,
    /// It may go in any case: a deployer can appoint another one.
    AnyAdmin,
}

/// Claims a user's roles until [`release_roles`]. 409 while another change is under way, or if no other administrator
/// would be left.
pub async fn claim_roles(database: &Database, user_id: UserId, taking: Taking) -> Result<RoleClaim> {
    let claim = async |connection: &mut PgConnection| {
        lock_administrators(connection).await?;
        if taking == Taking::AnAdmin && !has_other_administrator(connection, user_id).await? {
            return Err(last_administrator());
        }
        let now = sqlx::query_scalar!(
            r#"
            with expired as (
                delete from role_claims where user_id = $1 and expires_at <= now()
            )
            select now() as "now!"
            "#,
            user_id.0
        )
        .fetch_one(&mut *connection)
        .await?;
        insert(connection, user_id, taking != Taking::NoAdmin, now + LONGEST_CHANGE).await
    };
    database.transaction(claim).await
}

async fn insert(
    connection: &mut PgConnection,
    user_id: UserId,
    takes_admin: bool,
    expires_at: DateTime<Utc>,
) -> Result<RoleClaim> {
    let id = sqlx::query_scalar!(
        "insert into role_claims (user_id, takes_admin, expires_at) values ($1, $2, $3)
        on conflict (user_id) do nothing returning id",
        user_id.0,
        takes_admin,
        expires_at
    )
    .fetch_optional(connection)
    .await?;
    let busy = || Error::conflict("roles", "Someone else is changing this user's roles. Please try again.");
    id.map(RoleClaim).ok_or_else(busy)
}

/// Ends a claim.
pub async fn release_roles(executor: impl PgExecutor<'_>, claim: RoleClaim) -> sqlx::Result<()> {
    sqlx::query!("delete from role_claims where id = $1", claim.0).execute(executor).await.map(drop)
}

/// Blocks a user and revokes the user's sessions; `false` if the user is blocked already. 404 for an unknown user, 409
/// for the last administrator.
pub async fn block(connection: &mut PgConnection, user_id: UserId) -> Result<bool> {
    lock_administrators(connection).await?;
    let user = sqlx::query!(
        r#"select $2 = any(roles) as "is_admin!", blocked_at is not null as "is_blocked!" from users
        where id = $1 for no key update"#,
        user_id.0,
        ADMIN_ROLE
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(Error::NotFound("User"))?;
    if user.is_blocked {
        return Ok(false);
    }
    if user.is_admin && !has_other_administrator(connection, user_id).await? {
        return Err(last_administrator());
    }
    sqlx::query!("update users set blocked_at = now() where id = $1", user_id.0).execute(&mut *connection).await?;
    super::revoke_sessions(connection, user_id).await?;
    Ok(true)
}

/// Lets a blocked user sign in again; `false` if the user is not blocked.
pub async fn unblock(connection: &mut PgConnection, user_id: UserId) -> Result<bool> {
    let unblocked = sqlx::query_scalar!(
        r#"
        with unblocked as (
            update users set blocked_at = null where id = $1 and blocked_at is not null returning id
        )
        select exists (select from unblocked) as "unblocked!" from users where id = $1
        "#,
        user_id.0
    )
    .fetch_optional(connection)
    .await?;
    unblocked.ok_or(Error::NotFound("User"))
}

/// Refuses a blocked user. The caller [holds](super::hold) the user.
pub async fn refuse_blocked(executor: impl PgExecutor<'_>, user_id: UserId) -> Result<()> {
    let is_blocked = sqlx::query_scalar!(
        r#"select exists (select from users where id = $1 and blocked_at is not null) as "is_blocked!""#,
        user_id.0
    )
    .fetch_one(executor)
    .await?;
    if is_blocked { Err(Error::Blocked) } else { Ok(()) }
}

/// Serializes what can take away an administrator. Before the lock of a user's row.
async fn lock_administrators(connection: &mut PgConnection) -> sqlx::Result<()> {
    lock(connection, &[ADMINISTRATORS]).await
}

/// Whether another user is an administrator, not blocked, and not about to lose the role.
async fn has_other_administrator(connection: &mut PgConnection, user_id: UserId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select from users
            where roles <> '{}' and $2 = any(roles) and blocked_at is null and id <> $1
                and not exists (
                    select from role_claims claim
                    where claim.user_id = users.id and claim.takes_admin and claim.expires_at > now()
                )
        ) as "exists!"
        "#,
        user_id.0,
        ADMIN_ROLE
    )
    .fetch_one(connection)
    .await
}

fn last_administrator() -> Error {
    Error::conflict("roles", "This is the last administrator. Make someone else one first.")
}

//! Ways in to an account: its verified number, its verified address, and the Descope users that sign in with a number
//! or with an address and its password.

use sqlx::{PgConnection, PgExecutor};

use crate::{
    descope::Channel,
    ids::{SessionId, UserId},
    outbox::Message,
};

/// Ends the ways in by number, or by address and password, but the Descope user that is kept, and the sessions that they
/// opened, but the one that asks. Returns the roles that ended with them.
pub async fn end_ways_in(
    executor: impl PgExecutor<'_>,
    user_id: UserId,
    channel: Channel,
    kept: Option<&str>,
    asking: SessionId,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        with ended as (
            delete from user_identities
            where user_id = $1 and descope_user_id is distinct from $2 and (phone is not null) = $3
            returning descope_user_id, roles, is_proven
        ), revoked as (
            update user_sessions session set revoked_at = now()
            from ended
            where session.descope_user_id = ended.descope_user_id and session.user_id = $1 and session.id <> $4
                and session.revoked_at is null
        )
        select distinct role as "role!" from ended cross join unnest(ended.roles) as role where ended.is_proven
        "#,
        user_id.0,
        kept,
        channel == Channel::Sms,
        asking.0
    )
    .fetch_all(executor)
    .await
}

/// Whether a Descope user was a proved way in to an account, had a role there, and has ended: the role is not its own any more.
pub async fn has_ended(executor: impl PgExecutor<'_>, descope_user_id: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from ended_identities where descope_user_id = $1) as "has_ended!""#,
        descope_user_id
    )
    .fetch_one(executor)
    .await
}

/// Whether a user has proved this number or address, and not replaced it since.
pub async fn has_verified(executor: impl PgExecutor<'_>, user_id: UserId, way_in: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select from users
            where id = $1 and ((is_phone_verified and phone = $2) or (is_email_verified and email = $2))
        ) as "has_verified!"
        "#,
        user_id.0,
        way_in
    )
    .fetch_one(executor)
    .await
}

/// Whether an account can still be opened when its ways in of these channels have ended.
pub async fn has_another_way_in(
    executor: impl PgExecutor<'_>,
    user_id: UserId,
    (without_phone, without_email): (bool, bool),
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select (is_phone_verified and not $2) or (is_email_verified and not $3) or exists (
            select from user_identities identity
            where identity.user_id = users.id and not case when identity.phone is null then $3 else $2 end
        ) as "has_another!"
        from users where id = $1
        "#,
        user_id.0,
        without_phone,
        without_email
    )
    .fetch_one(executor)
    .await
}

/// What has changed about the ways in to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    PhoneNumber,
    Email,
    Password,
}

impl Changed {
    pub fn of(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::PhoneNumber,
            Channel::Email => Self::Email,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::PhoneNumber => "phone_number",
            Self::Email => "email",
            Self::Password => "password",
        }
    }
}

/// Writes a message to the verified number and address of an account that was signed in to on a new device.
pub(super) async fn tell_of_new_device(connection: &mut PgConnection, user_id: UserId) -> sqlx::Result<()> {
    sqlx::query_scalar!(
        r#"
        select count(write_message($2, jsonb_build_object('user_id', users.id, 'to', way.address))::text) as "count!"
        from users cross join lateral (
            values (case when is_phone_verified then phone end), (case when is_email_verified then email end)
        ) as way (address)
        where users.id = $1 and way.address is not null
        "#,
        user_id.0,
        Message::NewDevice as Message
    )
    .fetch_one(connection)
    .await
    .map(drop)
}

/// Writes a message to the verified number and address of an account. Before the change, so that the old ones hear of it.
pub async fn tell_of_change(connection: &mut PgConnection, user_id: UserId, changed: Changed) -> sqlx::Result<()> {
    sqlx::query_scalar!(
        r#"
        select count(write_message(
            $2, jsonb_build_object('user_id', users.id, 'changed', $3::text, 'to', way.address)
        )::text) as "count!"
        from users cross join lateral (
            values (case when is_phone_verified then phone end), (case when is_email_verified then email end)
        ) as way (address)
        where users.id = $1 and way.address is not null
        "#,
        user_id.0,
        Message::WaysInChanged as Message,
        changed.as_str()
    )
    .fetch_one(connection)
    .await
    .map(drop)
}

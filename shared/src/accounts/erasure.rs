//! Erasure of the accounts of a number: what names a person goes, the row stays for the history.

use sqlx::{PgConnection, PgExecutor};

use super::hold;
use crate::{Error, Result, ids::UserId, messages, outbox};

/// An account that signs in with a number. One that only claims the number is another person's.
#[derive(Clone, Debug)]
pub struct AccountOfPhone {
    pub id: UserId,
    pub descope_user_ids: Vec<String>,
}

/// The accounts that sign in with a number. 409 while one has a role of the shop: the accounts of its people are dismissed
/// first.
pub async fn of_phone(executor: impl PgExecutor<'_>, phone: &str) -> Result<Vec<AccountOfPhone>> {
    let users = sqlx::query!(
        r#"
        select id, roles <> '{}' as "has_role!",
            array(
                select descope_user_id from user_identities where user_id = users.id order by descope_user_id
            ) as "descope_user_ids!"
        from users
        where phone = $1 and is_phone_verified or id in (select user_id from user_identities where phone = $1)
        order by id
        "#,
        phone
    )
    .fetch_all(executor)
    .await?;
    if users.iter().any(|user| user.has_role) {
        let sentence = "The account of this number has a role of the shop. Take the role away first.";
        return Err(Error::conflict("customer", sentence));
    }
    let account = |(id, descope_user_ids)| AccountOfPhone { id: UserId(id), descope_user_ids };
    Ok(users.into_iter().map(|user| (user.id, user.descope_user_ids)).map(account).collect())
}

/// Erases the accounts that sign in with a number, with their sessions; returns their ids. Their Descope users are deleted
/// before.
pub async fn erase(connection: &mut PgConnection, phone: &str) -> Result<Vec<UserId>> {
    let ids: Vec<UserId> = of_phone(&mut *connection, phone).await?.into_iter().map(|account| account.id).collect();
    for id in &ids {
        hold(connection, *id).await?;
        outbox::forget(&mut *connection, *id).await?;
        messages::forget_user(&mut *connection, *id).await?;
        // Tokens and sessions of the panel go with the sessions.
        sqlx::query!(
            "
            with identities as (delete from user_identities where user_id = $1),
                sessions as (delete from user_sessions where user_id = $1)
            update users
            set username = 'erased-' || id, email = null, is_email_verified = false, phone = null, is_phone_verified = false,
                first_name = '', last_name = '', profile_picture = null, sessions_revoked_at = clock_timestamp(),
                updated_at = now()
            where id = $1
            ",
            id.0
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(ids)
}

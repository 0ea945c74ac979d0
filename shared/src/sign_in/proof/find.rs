//! Finds and locks the account that a proof opens, in one statement.

use sqlx::PgConnection;

use super::Proof;
use crate::{accounts::Identity, ids::UserId};

/// The account that a proof opens, and the users it was chosen from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidates {
    /// The user who has proved the number or address before.
    pub(super) owner: Option<UserId>,
    /// The user that the Descope user belongs to.
    pub(super) known: Option<Identity>,
    /// `owner`; else `known`, if the row of the Descope user is about this login id and nothing else was proved in the
    /// account; else the account that was created with the address and in which nothing was proved, because a first
    /// proof was interrupted.
    pub(super) account: Option<UserId>,
    /// Whether the proof adds nothing new.
    pub(super) is_old_news: bool,
    /// Whether the shop has blocked the user of the account.
    pub(super) is_blocked: bool,
}

impl Proof<'_> {
    /// Finds the account and locks it, or locks `other`. In READ COMMITTED a statement that waited for the row keeps
    /// the snapshot it took before, so the caller must repeat it; not needed in a session of the account, which a
    /// takeover would have revoked.
    ///
    /// An unproved account is found by address only: no account is created with an unproved number, and the username of
    /// an account may be a number that its user has given up.
    pub(super) async fn find(&self, connection: &mut PgConnection, other: Option<UserId>) -> sqlx::Result<Candidates> {
        let row = sqlx::query!(
            r#"
            with found as (
                select
                    (
                        select id from users where phone = $2 and is_phone_verified
                        union all
                        select id from users where email = $3 and is_email_verified
                    ) as owner,
                    identity.user_id as known, identity.is_proven,
                    case when identity.is_proven then $5 else not has_another_proof(identity.user_id, $1, $2, $3) end as is_way_in,
                    identity.is_proven and identity.phone is not distinct from coalesce($2, identity.phone) as is_linked
                from (values ($1)) as arrival (descope_user_id)
                left join user_identities identity using (descope_user_id)
            ), account as (
                select coalesce(owner, case when is_way_in then known end, (
                    select id from users
                    where username = $3 and email = $3 and not has_another_proof(id, null, null, null)
                    order by id desc limit 1
                )) as id
                from found
            ), held as (
                select users.id, users.blocked_at from users join account on users.id = coalesce($4, account.id) for no key update of users
            )
            select owner as "owner?", known as "known?", is_proven as "is_proven?", account.id as "account?",
                coalesce(owner = known and is_linked, false) as "is_old_news!", held.blocked_at is not null as "is_blocked!"
            from found, account left join held on true
            "#,
            self.id(),
            self.identifier.phone(),
            self.identifier.email(),
            other.map(|id| id.0),
            self.new.as_ref().map_or_else(|| self.is_of_row(), |new| new.is_replacement)
        )
        .fetch_one(connection)
        .await?;
        let known = row.known.zip(row.is_proven);
        let known = known.map(|(user_id, is_proven)| Identity { user_id: UserId(user_id), is_proven });
        let (owner, account) = (row.owner.map(UserId), row.account.map(UserId));
        Ok(Candidates { owner, known, account, is_old_news: row.is_old_news, is_blocked: row.is_blocked })
    }
}

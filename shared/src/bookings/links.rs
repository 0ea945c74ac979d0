//! Links that manage a booking: a token that messages carry, stored as a hash. A link ends with the booking's access
//! token, so a move keeps it alive, or when the shop's people revoke it.

use serde::Deserialize;
use sqlx::{PgConnection, PgExecutor};

use super::{Actor, Booking, access_token::AccessToken, booking, status::BookingStatus, timeline::Event};
use crate::{
    Error, Result,
    database::Database,
    ids::{BookingId, CustomerId, LinkId},
    logging::{name_actor, name_bookings},
};

/// What the holder of a link may do. Each includes those before it: paying takes nothing from the customer, so a link that is
/// passed on to pay moves and cancels nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "link_scope", rename_all = "snake_case")]
pub enum Scope {
    /// See the booking.
    View,
    /// Pay for it.
    Pay,
    /// Move and cancel it, prove its number, and refuse reminders.
    Change,
}

/// A link that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: LinkId,
    pub booking_id: BookingId,
    pub scope: Scope,
}

/// Which links of a booking to revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    One(LinkId),
    All,
}

/// Makes a link to a booking, in the transaction of what tells the token to its holder. The token is not stored. The purpose
/// is the kind of message that carries it, or `staff`: lower-case letters and underscores.
pub async fn make(
    connection: &mut PgConnection,
    booking: BookingId,
    scope: Scope,
    purpose: &str,
) -> Result<AccessToken> {
    let token = AccessToken::of_link()?;
    sqlx::query!(
        "insert into booking_links (booking_id, token_sha256, scope, purpose) values ($1, $2, $3, $4)",
        booking.0,
        &token.sha256(),
        scope as Scope,
        purpose
    )
    .execute(connection)
    .await?;
    Ok(token)
}

/// Finds the link of a token; `None` if there is none, and if it has ended.
pub async fn find(database: &Database, token: &AccessToken) -> sqlx::Result<Option<Link>> {
    database.read(|pool| async move { select(&pool, token).await }).await
}

/// Locks the booking of a link for what needs this scope. 404 if the link has ended meanwhile, 403 for a smaller scope.
pub async fn lock(connection: &mut PgConnection, token: &AccessToken, scope: Scope) -> Result<Booking> {
    const ENDED: Error = Error::NotFound("Link");
    let seen = select(&mut *connection, token).await?.ok_or(ENDED)?;
    let booking = booking::lock(connection, seen.booking_id).await?;
    // Links are revoked under the same lock, so this one cannot end before the commit.
    let link = select(connection, token).await?.ok_or(ENDED)?;
    if link.scope < scope {
        return Err(Error::PermissionDenied);
    }
    name_actor("customer");
    Ok(booking)
}

async fn select(executor: impl PgExecutor<'_>, token: &AccessToken) -> sqlx::Result<Option<Link>> {
    let link = sqlx::query_as!(
        Link,
        r#"
        select id as "id!", booking_id as "booking_id!", scope as "scope!: Scope"
        from live_booking_links where token_sha256 = $1
        "#,
        &token.sha256()
    )
    .fetch_optional(executor)
    .await?;
    name_bookings(link.iter().map(|link| link.booking_id));
    Ok(link)
}

/// Revokes links of a locked booking, and writes that to its timeline. Idempotent; returns how many have ended by it.
pub async fn revoke(connection: &mut PgConnection, booking: &Booking, which: Which, actor: &Actor) -> Result<u64> {
    let one = match which {
        Which::One(id) => Some(id.0),
        Which::All => None,
    };
    let revoked = sqlx::query!(
        "
        update booking_links set revoked_at = now()
        where booking_id = $1 and revoked_at is null and ($2::bigint is null or id = $2)
        ",
        booking.id.0,
        one
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if revoked > 0 {
        sqlx::query!(
            "select write_event($1, $2, $3, $3, $4) as event",
            booking.id.0,
            Event::LinksRevoked as Event,
            booking.booking_status as BookingStatus,
            actor.to_string()
        )
        .fetch_one(connection)
        .await?;
    }
    Ok(revoked)
}

/// Deletes the links of a customer's bookings.
pub async fn forget(executor: impl PgExecutor<'_>, customer: CustomerId) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from booking_links where booking_id in (select id from bookings where customer_id = $1)",
        customer.0
    )
    .execute(executor)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn each_scope_includes_those_before_it() {
        assert!(Scope::View < Scope::Pay && Scope::Pay < Scope::Change);
    }
}

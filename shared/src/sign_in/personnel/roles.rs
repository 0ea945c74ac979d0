//! Changes of a user's roles, at Descope and then here: one at a time for each user, and with an administrator left.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use tracing::warn;

use super::{Personnel, SignIn};
use crate::{
    Error, Result,
    accounts::{self, ADMIN_ROLE, RoleClaim, Taking},
    database::Database,
    descope::{Descope, User},
    history::{self, Author},
    ids::UserId,
};

/// Gives a user a role or takes it; whether Descope changed anything. Counts from the next request on, in every function,
/// also against the session token. If Descope fails, nothing is changed.
///
/// 404 for an unknown user; 409 without a proved address or number, for the last administrator, and while another change
/// of the user's roles is under way.
pub async fn set(sign_in: &SignIn, user_id: UserId, role: &str, is_given: bool, author: &Author) -> Result<bool> {
    let (database, descope) = (&sign_in.sessions.database, &sign_in.sessions.descope);
    let taking = if !is_given && role == ADMIN_ROLE { Taking::AnAdmin } else { Taking::NoAdmin };
    let change = if is_given { Change::Give(role) } else { Change::Take(&[role]) };
    let identities = accounts::identities(database, user_id).await?.ok_or(Error::NotFound("User"))?;
    let of = identities.into_iter().filter(|identity| !is_given || identity.is_proven);
    let of: Vec<String> = of.map(|identity| identity.descope_user_id).collect();
    if is_given && of.is_empty() {
        return Err(Error::conflict("roles", "This user has not proved an address or number yet."));
    }
    apply(database, descope, (user_id, &of), (&change, taking), author).await
}

/// Gives a user a role, as [`set`]. An account in which nothing was proved may be another person's than its address: it
/// is taken over, as an [appointment](Personnel::appoint) does. Its sessions end, and a mail that links to `page` goes
/// to the address, so that the owner of the mailbox alone gets in.
pub async fn give(sign_in: &SignIn, user_id: UserId, role: &str, page: &str, author: &Author) -> Result<bool> {
    let database = &sign_in.sessions.database;
    let identities = accounts::identities(database, user_id).await?.ok_or(Error::NotFound("User"))?;
    if identities.iter().any(|identity| identity.is_proven) {
        return set(sign_in, user_id, role, true, author).await;
    }
    let address = accounts::address_of(database, user_id).await?;
    let no_address =
        || Error::conflict("roles", "This user has proved nothing yet, and has no address to send a mail to.");
    let personnel = Personnel { descope: sign_in.sessions.descope.clone(), password_reset_url: None };
    let appointed = personnel.appoint(database, &address.ok_or_else(no_address)?, role, Some(page), author).await?;
    Ok(appointed.role_added)
}

/// What becomes of the roles of a user.
#[derive(Clone, Copy, Debug)]
pub(in crate::sign_in) enum Change<'a> {
    Give(&'a str),
    Take(&'a [&'a str]),
}

impl Change<'_> {
    fn of<'a>(&'a self, roles: &'a [String]) -> BTreeSet<&'a str> {
        let mut roles: BTreeSet<&str> = roles.iter().map(String::as_str).collect();
        match self {
            Self::Give(role) => drop(roles.insert(role)),
            Self::Take(taken) => roles.retain(|role| !taken.contains(role)),
        }
        roles
    }
}

/// Roles of a Descope user, before and after.
pub(super) struct Changed {
    descope_user_id: String,
    before: Vec<String>,
    after: Vec<String>,
}

impl Changed {
    pub(super) fn differs(&self) -> bool {
        self.before != self.after
    }
}

/// Applies a change to these Descope users of a user; whether Descope changed anything.
pub(in crate::sign_in) async fn apply(
    database: &Database,
    descope: &Descope,
    (user_id, identities): (UserId, &[String]),
    (change, taking): (&Change<'_>, Taking),
    author: &Author,
) -> Result<bool> {
    let claim = accounts::claim_roles(database, user_id, taking).await?;
    let mut changed = Vec::new();
    let mut outcome = Ok(());
    for id in identities {
        match change_at_descope(descope, id, change).await {
            Ok(one) => changed.extend(one),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    if outcome.is_err() && changed.is_empty() {
        if let Err(error) = accounts::release_roles(&database.pool(), claim).await {
            warn!(%error, "the claim of a user's roles ends by itself");
        }
        return outcome.map(|()| false);
    }
    // Also what was changed before a failure.
    note(database, user_id, claim, &changed, author).await?;
    outcome.map(|()| changed.iter().any(Changed::differs))
}

/// The roles before and after; `None` if Descope has no such user.
pub(super) async fn change_at_descope(descope: &Descope, id: &str, change: &Change<'_>) -> Result<Option<Changed>> {
    let Some(user) = descope.user(id).await? else { return Ok(None) };
    let User { role_names: mut before, login_ids, .. } = user;
    before.sort_unstable();
    let after: Vec<String> = change.of(&before).into_iter().map(ToOwned::to_owned).collect();
    if before != after
        && let Some(login_id) = login_ids.first()
    {
        let roles: Vec<&str> = after.iter().map(String::as_str).collect();
        descope.set_roles(login_id, &roles).await?;
    }
    Ok(Some(Changed { descope_user_id: id.to_owned(), before, after }))
}

/// Writes what Descope has changed, and ends the claim.
async fn note(
    database: &Database,
    user_id: UserId,
    claim: RoleClaim,
    changed: &[Changed],
    author: &Author,
) -> sqlx::Result<()> {
    let note = async |connection: &mut PgConnection| {
        accounts::hold(connection, user_id).await?;
        // The author answers only for the difference to what Descope had.
        history::sign(connection, &Author::descope()).await?;
        for user in changed {
            accounts::note_roles(&mut *connection, &user.descope_user_id, &user.before).await?;
        }
        history::sign(connection, author).await?;
        for user in changed {
            accounts::note_roles(&mut *connection, &user.descope_user_id, &user.after).await?;
        }
        accounts::note_change_of_roles(&mut *connection, user_id).await?;
        accounts::release_roles(connection, claim).await
    };
    database.transaction(note).await
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn a_change_keeps_the_other_roles() {
        let roles = ["admin", "editor", "staff"].map(ToOwned::to_owned);
        let after = |change: Change<'_>| change.of(&roles).into_iter().map(ToOwned::to_owned).collect::<Vec<String>>();
        assert_eq!(after(Change::Give("staff")), roles);
        assert_eq!(after(Change::Give("boss")), ["admin", "boss", "editor", "staff"]);
        assert_eq!(after(Change::Take(&["admin", "staff"])), ["editor"]);
        assert_eq!(after(Change::Take(&["boss"])), roles);
    }
}

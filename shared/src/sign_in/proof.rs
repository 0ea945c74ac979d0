//! Proof of a number or address: which account it opens, and what it changes there.
//!
//! The project id suffices to create a Descope user with any login id, and to add numbers, login ids and a password to
//! it later. So a login id proves nothing: only the recipient of the code counts (`is_reached_at`). An earlier visitor
//! must not keep a way in to an account that was opened with another person's address: the first proof from outside the
//! account replaces the Descope user by a new one with that one way in, and secures the account. *Secured* means that
//! the account's sessions are revoked and its other ways in closed.
//!
//! Ways in are rows here and nothing else counts: a login id that a Descope user has beside that of our row is taken from
//! it. And an account in which another number or address was proved goes to no one else: not to the owner of
//! the unproved address that it was made with.
//!
//! A proof without a session:
//!
//! | the number or address was proved by | the Descope user belongs to | effect |
//! |---|---|---|
//! | no user | no user, first code, one way in | a new account, verified |
//! | no user | no user, seen before | the Descope user is replaced, then the same |
//! | no user | no user, and an account was made with this address in which nothing was proved | that account opens, secured |
//! | no user | A, proved here by this login id | A opens; an empty field of its profile is filled and verified |
//! | no user | A, proved here by another login id | taken from A's Descope user; a new account, verified |
//! | no user | A, never proved here, nor anything else in A | replaced; A opens, secured |
//! | no user | A, never proved here, but another number or address was | replaced and taken from A; a new account, verified |
//! | B | no user, first code, one way in | B opens; the Descope user becomes B's |
//! | B | no user, seen before | replaced, then the same |
//! | B | B | B opens; nothing is written |
//! | B | A, proved here | taken from A's Descope user; B opens |
//! | B | A, never proved here | replaced and taken from A; B opens |
//!
//! A proof in a session of account S adds to S, if the user has [proved](super::ways_in) in it lately who they are. It
//! ends S's other ways in of its kind, and otherwise revokes nothing:
//!
//! | the number or address was proved by | the Descope user belongs to | effect |
//! |---|---|---|
//! | another user | any | 409 |
//! | S, or no user | S | S is verified |
//! | S, or no user | no user, first code, one way in | the Descope user becomes S's, S is verified |
//! | S, or no user | no user, seen before | replaced, then the same |
//! | S, or no user | another user | replaced or taken from there, S is verified |

mod admit;
mod enter;
mod find;
pub mod replacements;

use sqlx::PgConnection;

use super::{Identifier, SignIn, arrival::Arrival};
use crate::{
    Result,
    accounts::{self, Identity},
    descope,
    ids::UserId,
};

pub use enter::{from_outside, from_within};

/// A proved number or address, and the Descope user that proved it.
pub(in crate::sign_in) struct Proof<'a> {
    identifier: &'a Identifier,
    /// The Descope user that arrived.
    arrived: descope::User,
    /// Whether it was its first sign-in.
    is_first_seen: bool,
    /// The new Descope user, if the one that arrived was not to be kept.
    new: Option<New>,
}

/// A Descope user that was created for a proof.
struct New {
    user: descope::User,
    /// Whether the one that arrived is deleted; else it has lost the login id only.
    is_replacement: bool,
}

impl<'a> Proof<'a> {
    pub(in crate::sign_in) fn new(arrival: &Arrival, identifier: &'a Identifier) -> Self {
        let is_first_seen = arrival.signed_in.first_seen;
        Self { identifier, arrived: arrival.user.clone(), is_first_seen, new: None }
    }

    /// The Descope user that was created for the proof.
    pub(in crate::sign_in) fn new_user(&self) -> Option<&descope::User> {
        self.new.as_ref().map(|new| &new.user)
    }

    /// Whether this Descope user was never proved here, and other people may be able to sign in as it.
    pub(in crate::sign_in) fn is_first(&self, known: Option<Identity>) -> bool {
        known.map_or_else(|| !self.is_untouched(), |known| !known.is_proven)
    }

    /// Whether this code is the only way in to the Descope user and its first use. An earlier visitor could hold a
    /// refresh token or a pending change of address.
    fn is_untouched(&self) -> bool {
        self.is_first_seen && self.arrived.is_plain(self.identifier.channel(), self.identifier.as_str())
    }

    /// Whether our row of the Descope user is about this login id, and not another one that it has beside.
    fn is_of_row(&self) -> bool {
        self.arrived.login_ids == [self.identifier.as_str()]
    }

    /// Replaces the Descope user that arrived by a new one with this one way in, or takes the login id from one that was
    /// proved by another or belongs to `own`. Must precede all writes here: if it fails, the next proof is still the
    /// first.
    pub(in crate::sign_in) async fn renew(self, sign_in: &SignIn, own: Option<UserId>) -> Result<Self> {
        let (database, descope) = (&sign_in.sessions.database, &sign_in.sessions.descope);
        let (channel, login_id) = (self.identifier.channel(), self.identifier.as_str());
        let known = accounts::identity(database, self.id()).await?;
        let is_kept = known.is_some_and(|known| known.is_proven || Some(known.user_id) == own);
        if !is_kept || self.is_of_row() {
            self.replace(sign_in).await
        } else {
            descope.take_login_id(&self.arrived, channel, login_id).await?;
            let user = descope.create_proved(channel, login_id, &[]).await?;
            Ok(Self { new: Some(New { user, is_replacement: false }), ..self })
        }
    }

    /// Replaces the Descope user that arrived; nothing of it but its roles stays, and these only if it has not ended as a way
    /// in to an account.
    pub(in crate::sign_in) async fn replace(self, sign_in: &SignIn) -> Result<Self> {
        let (database, descope) = (&sign_in.sessions.database, &sign_in.sessions.descope);
        let has_ended = accounts::has_ended(&database.pool(), self.id()).await?;
        let role_names: &[String] = if has_ended { &[] } else { &self.arrived.role_names };
        replacements::plan(database, self.id(), self.identifier.as_str(), role_names).await?;
        descope.delete_user(self.id()).await?;
        let (channel, login_id) = (self.identifier.channel(), self.identifier.as_str());
        let user = descope.create_proved(channel, login_id, role_names).await?;
        Ok(Self { new: Some(New { user, is_replacement: true }), ..self })
    }

    /// The id of the Descope user that arrived.
    fn id(&self) -> &str {
        &self.arrived.user_id
    }

    /// The Descope user that the account keeps.
    fn user(&self) -> &descope::User {
        self.new_user().unwrap_or(&self.arrived)
    }

    /// Forgets a Descope user that was deleted.
    async fn forget_replaced(&self, connection: &mut PgConnection) -> Result<()> {
        if self.new.as_ref().is_some_and(|new| new.is_replacement) {
            accounts::unlink(connection, self.id()).await?;
            replacements::complete(connection, self.id()).await?;
        }
        Ok(())
    }

    async fn lock(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        accounts::lock(connection, &[self.identifier.as_str(), self.id()]).await
    }
}

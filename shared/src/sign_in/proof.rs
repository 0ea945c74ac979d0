//! Proof of a number or address: which account it opens, and what it changes there.
//!
//! The project id suffices to create a Descope user with any login id, and to add numbers, login ids and a password to
//! it later. So a login id proves nothing: only the recipient of the code counts (`is_reached_at`). An earlier visitor
//! must not keep a way in to an account that was opened with another person's address: the first proof from outside the
//! account replaces the Descope user by a new one with that one way in, and secures the account. *Secured* means that
//! the account's sessions are revoked and its other ways in closed.
//!
//! A proof without a session:
//!
//! | the number or address was proved by | the Descope user belongs to | seen before | effect |
//! |---|---|---|---|
//! | no user | no user | no: first code, one way in | a new account, verified |
//! | no user | no user | yes | the Descope user is replaced, then the same |
//! | no user | no user | either, and an unproved account was made with this address | that account opens, secured |
//! | no user | A, proved here | | A opens; an empty field of its profile is filled and verified |
//! | no user | A, never proved here | | replaced; A opens, secured |
//! | B | no user | no | B opens; the Descope user becomes B's |
//! | B | no user | yes | replaced, then the same |
//! | B | B | | B opens; nothing is written |
//! | B | A, proved here | | B opens; the Descope user stays A's |
//! | B | A, never proved here | | replaced and taken from A; B opens |
//!
//! A proof in a session of account S adds to S and revokes nothing:
//!
//! | the number or address was proved by | the Descope user belongs to | seen before | effect |
//! |---|---|---|---|
//! | another user | any | | 409 |
//! | S, or no user | S | | S is verified |
//! | S, or no user | no user | no | the Descope user becomes S's, S is verified |
//! | S, or no user | no user | yes | replaced, then the same |
//! | S, or no user | another user | | replaced and taken from there, S is verified |

mod admit;
mod enter;
mod find;

use sqlx::PgConnection;

use super::{Identifier, SignIn, arrival::Arrival};
use crate::{
    Result,
    accounts::{self, Identity},
    descope,
};

pub use enter::{from_outside, from_within};

/// A proved number or address, and the Descope user that proved it.
pub(in crate::sign_in) struct Proof<'a> {
    pub(in crate::sign_in) arrival: Arrival,
    identifier: &'a Identifier,
    /// The new Descope user, if the one that arrived was replaced.
    pub(in crate::sign_in) replaced: Option<descope::User>,
}

impl<'a> Proof<'a> {
    /// Replaces the Descope user that arrived if this is its first proof here.
    pub(in crate::sign_in) async fn of(sign_in: &SignIn, arrival: Arrival, identifier: &'a Identifier) -> Result<Self> {
        let known = accounts::identity(&sign_in.sessions.database, arrival.id()).await?;
        let proof = Self { arrival, identifier, replaced: None };
        if proof.is_first(known) { proof.replace(sign_in).await } else { Ok(proof) }
    }

    /// Whether this Descope user was never proved here, and other people may be able to sign in as it.
    fn is_first(&self, known: Option<Identity>) -> bool {
        known.map_or_else(|| !self.is_untouched(), |known| !known.is_proven)
    }

    /// Whether this code is the only way in to the Descope user and its first use. An earlier visitor could hold a
    /// refresh token or a pending change of address.
    fn is_untouched(&self) -> bool {
        let Arrival { user, signed_in, .. } = &self.arrival;
        signed_in.first_seen && user.is_plain(self.identifier.channel(), self.identifier.as_str())
    }

    /// Replaces the Descope user that arrived by a new one with this one way in. Must precede all writes here: if it
    /// fails, the next proof is still the first.
    async fn replace(self, sign_in: &SignIn) -> Result<Self> {
        let (channel, login_id) = (self.identifier.channel(), self.identifier.as_str());
        let replaced = sign_in.sessions.descope.replace_user(&self.arrival.user, channel, login_id).await?;
        Ok(Self { replaced: Some(replaced), ..self })
    }

    /// The Descope user that the account keeps.
    fn user(&self) -> &descope::User {
        self.replaced.as_ref().unwrap_or(&self.arrival.user)
    }

    async fn lock(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        accounts::lock(connection, &[self.identifier.as_str(), self.arrival.id()]).await
    }
}

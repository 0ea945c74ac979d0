//! Finds or creates the account that a proof opens, and writes the proof.

use sqlx::PgConnection;

use super::Proof;
use crate::{
    Error, Result,
    accounts::{self, Changed, NewUser},
    ids::UserId,
    sign_in::Identifier,
};

impl Proof<'_> {
    /// Finds or creates the account that the proof opens, and writes the proof. An account that is proved for the first
    /// time loses its other ways in. `None` if the Descope user must be replaced first, 403 if the user is blocked.
    pub(in crate::sign_in) async fn admit(&self, connection: &mut PgConnection) -> Result<Option<UserId>> {
        self.lock(connection).await?;
        let found = self.find(connection, None).await?;
        if found.is_blocked {
            return Err(Error::Blocked);
        }
        let is_another_s = found.known.is_some_and(|known| Some(known.user_id) != found.account);
        if self.new.is_none() && (is_another_s || self.is_first(found.known)) {
            return Ok(None);
        }
        if found.account.is_some() && self.find(connection, found.account).await? != found {
            // A concurrent proof has taken the account.
            return Err(Error::InvalidOtp);
        }
        let user = self.user();
        let user_id = match found.account {
            Some(user_id) if found.is_old_news && self.new.is_none() => return Ok(Some(user_id)),
            Some(user_id) => user_id,
            None => {
                let username = self.identifier.as_str().to_owned();
                accounts::create(connection, &NewUser { username, ..NewUser::from(user) }).await?
            }
        };
        self.forget_replaced(connection).await?;
        let taken_from = found.known.filter(|known| self.new.is_some() && known.user_id != user_id);
        if let Some(other) = taken_from {
            let changed = Changed::of(self.identifier.channel());
            accounts::tell_of_change(connection, other.user_id, changed).await?;
        }
        let is_taken_back = self.new.is_some() && found.known.is_some_and(|known| known.user_id == user_id);
        let is_unfinished = found.account.is_some()
            && found.owner.is_none()
            && found.known.is_none_or(|known| known.user_id != user_id);
        if is_taken_back || is_unfinished {
            accounts::revoke_sessions(connection, user_id).await?;
            accounts::close_other_ways_in(&mut *connection, user_id, &user.user_id).await?;
        }
        accounts::link(connection, &user.user_id, user_id, self.identifier.phone(), true).await?;
        let verified = verify(connection, user_id, self.identifier, Profile::Completed).await;
        verified.map_err(|error| on_race(error, self.identifier))?;
        Ok(Some(user_id))
    }
}

/// How a proof changes the profile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// The proved value replaces the current one: the signed-in user asked for that.
    Replaced,
    /// An empty field is filled and verified, an equal one verified, another one kept.
    Completed,
}

/// Marks a number or address of a user as verified.
pub(super) async fn verify(
    connection: &mut PgConnection,
    user_id: UserId,
    identifier: &Identifier,
    profile: Profile,
) -> sqlx::Result<()> {
    let is_replaced = profile == Profile::Replaced;
    match identifier {
        Identifier::Phone(phone) => {
            sqlx::query!(
                "
                update users set phone = $2, is_phone_verified = true, updated_at = now()
                where id = $1 and not (is_phone_verified and phone = $2) and ($3 or phone is null or phone = $2)
                ",
                user_id.0,
                phone.as_str(),
                is_replaced
            )
            .execute(connection)
            .await
        }
        Identifier::Email(email) => {
            sqlx::query!(
                "
                update users set email = $2, is_email_verified = true, updated_at = now()
                where id = $1 and not (is_email_verified and email = $2) and ($3 or email is null or email = $2)
                ",
                user_id.0,
                email.as_str(),
                is_replaced
            )
            .execute(connection)
            .await
        }
    }
    .map(drop)
}

pub(super) fn already_proved(identifier: &Identifier) -> Error {
    match identifier {
        Identifier::Phone(_) => Error::conflict("phone_number", "This phone number is already in use."),
        Identifier::Email(_) => Error::conflict("email", "This email address is already in use."),
    }
}

/// Maps a race of two proofs: the unique index lets only one user verify a number or address.
pub(super) fn on_race(error: sqlx::Error, identifier: &Identifier) -> Error {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint.is_some_and(|name| name.starts_with("users_verified_")) {
        already_proved(identifier)
    } else {
        error.into()
    }
}

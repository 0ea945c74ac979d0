//! From a proof to a session: without one, or within one.

use sqlx::PgConnection;

use super::{
    Proof,
    admit::{Profile, already_proved, on_race, verify},
};
use crate::{
    Error, Result,
    accounts::{self, User},
    descope::SignedIn,
    http::Device,
    ids::UserId,
    session::Session,
    sign_in::{Identifier, SignIn, arrival::Arrival, sessions},
};

/// Signs in with a proved number or address. It opens the account that has proved it, or that signs in with it; else a new one.
pub async fn from_outside(
    sign_in: &SignIn,
    signed_in: SignedIn,
    identifier: &Identifier,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let database = &sign_in.sessions.database;
    let arrival = reached(sign_in, signed_in, identifier).await?;
    let proof = Proof { arrival, identifier, replaced: None };
    let admit = async |connection: &mut PgConnection| {
        let Some(user_id) = proof.admit(connection).await? else { return Ok::<_, Error>(None) };
        proof.arrival.enter(sign_in, connection, user_id, device).await.map(Some)
    };
    if let Some(user) = database.transaction(admit).await? {
        return Ok((user, proof.arrival.signed_in));
    }
    // No transaction is open while Descope is asked.
    let proof = proof.replace(sign_in).await?;
    let admit = async |connection: &mut PgConnection| proof.admit(connection).await?.ok_or(Error::InvalidOtp);
    // The account is its owner's from this commit on, whether or not a session opens now.
    let user_id = database.transaction(admit).await?;
    sessions::end_at_descope(sign_in, user_id).await;
    enter_anew(sign_in, user_id, identifier, device).await
}

/// Opens a session as the Descope user that is the account's now.
async fn enter_anew(
    sign_in: &SignIn,
    user_id: UserId,
    identifier: &Identifier,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let signed_in = sign_in.sessions.descope.sign_in_as(identifier.as_str()).await?;
    let arrival = Arrival::of(sign_in, signed_in).await?;
    let enter = async |connection: &mut PgConnection| {
        accounts::lock(connection, &[arrival.id()]).await?;
        accounts::hold(connection, user_id).await?;
        // Another person may have proved the account since the proof was written.
        let known = accounts::identity_in(&mut *connection, arrival.id()).await?;
        if known.is_none_or(|known| known.user_id != user_id) {
            return Err(Error::InvalidOtp);
        }
        arrival.enter(sign_in, connection, user_id, device).await
    };
    match sign_in.sessions.database.transaction(enter).await {
        Ok(user) => Ok((user, arrival.signed_in)),
        Err(error) => {
            if matches!(error, Error::InvalidOtp) {
                arrival.turn_away(sign_in).await;
            }
            Err(error)
        }
    }
}

/// Adds a number or address to the account in whose session it was proved. 409 if another user has proved it. Answers the user
/// and the tokens to go on with.
pub async fn from_within(
    sign_in: &SignIn,
    signed_in: SignedIn,
    identifier: &Identifier,
    session: &Session,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = reached(sign_in, signed_in, identifier).await?;
    let (login_id, user_id) = (identifier.as_str(), session.user.id);
    let mut proof = Proof { arrival, identifier, replaced: None };
    // By hand, because it may have to end before the Descope user is replaced.
    let mut transaction = sign_in.sessions.database.begin().await?;
    proof.lock(&mut transaction).await?;
    let found = proof.find(&mut transaction, Some(user_id)).await?;
    if found.owner.is_some_and(|owner| owner != user_id) {
        transaction.rollback().await?;
        proof.arrival.turn_away(sign_in).await;
        return Err(already_proved(identifier));
    }
    if !found.known.map_or_else(|| proof.is_untouched(), |known| known.user_id == user_id) {
        // Another person may have signed in as this Descope user, and go on doing so.
        transaction.rollback().await?;
        proof = proof.replace(sign_in).await?;
        transaction = sign_in.sessions.database.begin().await?;
        proof.lock(&mut transaction).await?;
        accounts::hold(&mut transaction, user_id).await?;
    }
    let (arrival, descope_user) = (&proof.arrival, proof.user());
    // One of several ways in to a Descope user says nothing of the others.
    let is_proven = descope_user.login_ids == [login_id];
    if !sessions::is_active(&mut transaction, session.id).await? {
        transaction.rollback().await?;
        arrival.turn_away(sign_in).await;
        return Err(Error::SessionRevoked);
    }
    if proof.replaced.is_some() {
        accounts::unlink(&mut transaction, arrival.id()).await?;
    }
    accounts::link(&mut transaction, &descope_user.user_id, user_id, identifier.phone(), is_proven).await?;
    let verified = verify(&mut transaction, user_id, identifier, Profile::Replaced).await;
    verified.map_err(|error| on_race(error, identifier))?;
    if let Some(phone) = identifier.phone() {
        // The number that was used before may soon be another person's.
        accounts::give_up_other_numbers(&mut transaction, user_id, phone).await?;
    }
    // The session goes on as it is; one whose refresh token is not known here gets another.
    let tokens = sessions::tokens(sign_in, &mut transaction, session).await?;
    let user = accounts::load(&mut *transaction, user_id, &session.user.roles).await?;
    transaction.commit().await?;
    arrival.turn_away(sign_in).await;
    match tokens {
        Some(tokens) => Ok((user, tokens)),
        None => enter_anew(sign_in, user_id, identifier, device).await,
    }
}

/// The sign-in of a code that went to this number or address, and to no other.
async fn reached(sign_in: &SignIn, signed_in: SignedIn, identifier: &Identifier) -> Result<Arrival> {
    let arrival = Arrival::of(sign_in, signed_in).await?;
    if arrival.user.is_reached_at(identifier.channel(), identifier.as_str()) {
        return Ok(arrival);
    }
    arrival.turn_away(sign_in).await;
    Err(Error::InvalidOtp)
}

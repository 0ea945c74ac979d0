//! Signing in with an e-mail address and a password.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::{SignIn, arrival::Arrival};
use crate::{
    Error, Result,
    accounts::{self, User},
    descope::SignedIn,
    email::Email,
    http::{ClientAddress, Device},
};

/// Far above what any password can be; one that is too long is wrong, like any other.
pub const LONGEST: usize = 256;
/// Descope's own limit, whatever a project's rules are. Refused before anything is done for the new password.
pub const LONGEST_NEW: usize = 64;

/// Signs in. A wrong password and an unknown address fail alike.
pub async fn sign_in(
    sign_in: &SignIn,
    email: &Email,
    password: &SecretString,
    address: &ClientAddress,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let limits = &sign_in.limits;
    let tries = [limits.tries_per_identifier.on(email.as_str()), limits.tries_per_address.on(&address.0)];
    sign_in.throttle.check(&tries).await?;
    let moment = accounts::now(&sign_in.sessions.database).await?;
    let signed_in = sign_in.sessions.descope.sign_in(email.as_str(), password).await?;
    enter(sign_in, signed_in, moment, device).await
}

/// Opens a session for a password that was right at that moment. An account whose registration was cut short is finished here.
async fn enter(
    sign_in: &SignIn,
    signed_in: SignedIn,
    moment: DateTime<Utc>,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = Arrival::of(sign_in, signed_in).await?;
    let mut transaction = sign_in.sessions.database.begin().await?;
    accounts::lock(&mut transaction, &[arrival.id()]).await?;
    let mut known = accounts::known_since(&mut transaction, arrival.id(), moment).await?;
    if known.is_none() {
        // No transaction is open while Descope is asked.
        transaction.rollback().await?;
        if sign_in.sessions.descope.user(arrival.id()).await?.is_none() {
            // The address was proved meanwhile, and another Descope user has replaced this one.
            return Err(Error::InvalidCredentials);
        }
        transaction = sign_in.sessions.database.begin().await?;
        accounts::lock(&mut transaction, &[arrival.id()]).await?;
        accounts::adopt(&mut transaction, arrival.id(), Some(&arrival.user)).await?;
        known = accounts::known_since(&mut transaction, arrival.id(), moment).await?;
    }
    let known = known.ok_or_else(|| Error::internal("a user whom Descope knows was not taken in"))?;
    if !known.is_undisturbed {
        // The password was reset while Descope checked the old one.
        transaction.rollback().await?;
        arrival.turn_away(sign_in).await;
        return Err(Error::InvalidCredentials);
    }
    let user = arrival.enter(sign_in, &mut transaction, known.user_id, device).await?;
    transaction.commit().await?;
    Ok((user, arrival.signed_in))
}

//! Sign-in with an e-mail address and a password.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::{SignIn, arrival::Arrival, tries::Attempt};
use crate::{
    Error, Result,
    accounts::{self, User},
    descope::{self, SignedIn},
    email::Email,
    http::{ClientAddress, Device},
};

/// Far above the length of any valid password. A longer one is refused as invalid input (400).
pub const LONGEST: usize = 256;
/// Descope's limit, independent of a project's rules. Checked before any other work on the new password.
pub const LONGEST_NEW: usize = 64;

/// Signs in. A wrong password and an unknown address get the same error.
pub async fn sign_in(
    sign_in: &SignIn,
    email: &Email,
    password: &SecretString,
    address: &ClientAddress,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let attempt = Attempt::begin(sign_in, [email.as_str()], address).await?;
    let enter = async {
        let moment = accounts::now(&sign_in.sessions.database).await?;
        let signed_in = sign_in.sessions.descope.sign_in(email.as_str(), password).await?;
        enter(sign_in, signed_in, moment, device).await
    };
    attempt.end(enter.await).await
}

/// Opens a session for a password that was right at `moment`. Completes an account whose registration was interrupted.
async fn enter(
    sign_in: &SignIn,
    signed_in: SignedIn,
    moment: DateTime<Utc>,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = Arrival::of(sign_in, signed_in).await?;
    let mut entry = enter_as(sign_in, &arrival, None, moment, device).await;
    if matches!(entry, Ok(None)) {
        if sign_in.sessions.descope.user(arrival.id()).await?.is_none() {
            // The address was proved meanwhile, and another Descope user has replaced this one.
            return Err(Error::InvalidCredentials);
        }
        entry = enter_as(sign_in, &arrival, Some(&arrival.user), moment, device).await;
    }
    if matches!(entry, Err(Error::InvalidCredentials | Error::PermissionDenied | Error::Blocked)) {
        arrival.turn_away(sign_in).await;
    }
    let user = entry?.ok_or_else(|| Error::internal("a user whom Descope knows was not taken in"))?;
    Ok((user, arrival.signed_in))
}

/// Opens a session of the linked user, linking `stranger` first; `None` if no user is linked. Refused if the password
/// was reset while Descope checked the old one.
async fn enter_as(
    sign_in: &SignIn,
    arrival: &Arrival,
    stranger: Option<&descope::User>,
    moment: DateTime<Utc>,
    device: &Device,
) -> Result<Option<User>> {
    let enter = async |connection: &mut PgConnection| {
        accounts::lock(connection, &[arrival.id()]).await?;
        if stranger.is_some() {
            accounts::adopt(connection, arrival.id(), stranger).await?;
        }
        let Some(known) = accounts::known_since(connection, arrival.id(), moment).await? else { return Ok(None) };
        if !known.is_undisturbed {
            return Err(Error::InvalidCredentials);
        }
        arrival.enter(sign_in, connection, known.user_id, device).await.map(Some)
    };
    sign_in.sessions.database.transaction(enter).await
}

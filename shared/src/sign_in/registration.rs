//! Registration with an e-mail address and a password.

use secrecy::SecretString;
use sqlx::PgConnection;

use super::{SignIn, arrival::Arrival};
use crate::{
    Error, Result,
    accounts::{self, NewUser, User},
    descope::{self, Channel, Claims, SignedIn},
    email::Email,
    http::Device,
    phone::Phone,
};

/// A registration, validated except for Descope's rules.
#[derive(Debug)]
pub struct Registration {
    pub email: Email,
    pub password: SecretString,
    pub first_name: String,
    pub last_name: String,
    pub phone_number: Option<Phone>,
}

/// Creates the account, with an unverified address and number. 409 if the address is registered, or another user has
/// proved the number.
pub async fn register(sign_in: &SignIn, registration: Registration, device: &Device) -> Result<(User, SignedIn)> {
    if let Some(phone) = &registration.phone_number {
        refuse_proved_number(sign_in, phone.as_str()).await?;
    }
    let signed_up = sign_up(sign_in, &registration).await?.ok_or_else(address_is_taken)?;
    finish(sign_in, signed_up, registration, device).await
}

async fn refuse_proved_number(sign_in: &SignIn, phone: &str) -> Result<()> {
    let is_proved = |pool| async move {
        sqlx::query_scalar!(
            r#"select exists (select from users where phone = $1 and is_phone_verified) as "is_proved!""#,
            phone
        )
        .fetch_one(&pool)
        .await
    };
    if sign_in.sessions.database.read(is_proved).await? {
        Err(Error::conflict("phone_number", "This phone number is already in use."))
    } else {
        Ok(())
    }
}

fn address_is_taken() -> Error {
    Error::conflict("email", "A user with this email already exists.")
}

/// Creates the Descope user; `None` if the address is registered.
///
/// Descope may have a user with this address that is not linked here: created for a one-time code that was never used,
/// or by an interrupted registration. The first is replaced; the second is continued if the password matches.
async fn sign_up(sign_in: &SignIn, registration: &Registration) -> Result<Option<SignedIn>> {
    let Registration { email, password, first_name, last_name, .. } = registration;
    let descope = &sign_in.sessions.descope;
    for _ in 0..2 {
        if let Some(signed_up) = descope.sign_up(email, password, (first_name, last_name)).await? {
            let Some(stale) = stale(sign_in, &signed_up, email).await? else { return Ok(Some(signed_up)) };
            // Descope lets anyone sign up as a user who was only invited. The password that was set for one whom the
            // shop has given a role must not stay.
            if !stale.role_names.is_empty() {
                descope.forget_password(&stale.user_id).await?;
                return Ok(None);
            }
            descope.delete_user(&stale.user_id).await?;
            continue;
        }
        let Some(user) = descope.user_with_login_id(email.as_str()).await? else { continue };
        if accounts::identity(&sign_in.sessions.database, &user.user_id).await?.is_some() {
            return Ok(None);
        }
        if user.password {
            let signed_in = match descope.sign_in(email.as_str(), password).await {
                Ok(signed_in) => signed_in,
                Err(Error::InvalidCredentials) => return Ok(None),
                Err(error) => return Err(error),
            };
            if user.opens_only_by(Channel::Email, email.as_str()) && user.role_names.is_empty() {
                return Ok(Some(signed_in));
            }
            if !user.role_names.is_empty() {
                return Ok(None);
            }
            // Other people may be able to sign in as it.
            descope.delete_user(&user.user_id).await?;
            continue;
        }
        if user.verified_email || user.verified_phone || !user.role_names.is_empty() {
            return Ok(None);
        }
        descope.delete_user(&user.user_id).await?;
    }
    Ok(None)
}

/// The Descope user of a sign-up if it existed before: other people may be able to sign in as it.
async fn stale(sign_in: &SignIn, signed_up: &SignedIn, email: &Email) -> Result<Option<descope::User>> {
    let user = if let Some(user) = &signed_up.user {
        user.clone()
    } else {
        let claims = Claims::trusted(&signed_up.session_jwt)?;
        sign_in.sessions.descope.user(claims.user_id()).await?.ok_or(Error::TokenInvalid)?
    };
    let is_new = signed_up.first_seen && user.role_names.is_empty();
    Ok(Some(user).filter(|user| !is_new || !user.opens_only_by(Channel::Email, email.as_str())))
}

/// Creates the user here. Of two concurrent registrations with the same address and password, Descope accepts both; the
/// first to write its row succeeds.
async fn finish(
    sign_in: &SignIn,
    signed_up: SignedIn,
    registration: Registration,
    device: &Device,
) -> Result<(User, SignedIn)> {
    let arrival = Arrival::of(sign_in, signed_up).await?;
    let register = async |connection: &mut PgConnection| {
        accounts::lock(connection, &[arrival.id()]).await?;
        if accounts::identity_in(&mut *connection, arrival.id()).await?.is_some() {
            return Err(address_is_taken());
        }
        let new = NewUser {
            username: registration.email.to_string(),
            // A password does not prove the address, even if the address was proved before.
            email: Some(registration.email),
            phone: registration.phone_number,
            first_name: registration.first_name,
            last_name: registration.last_name,
        };
        let user_id = accounts::create(connection, &new).await?;
        accounts::link(connection, arrival.id(), user_id, None, false).await?;
        arrival.enter(sign_in, connection, user_id, device).await
    };
    match sign_in.sessions.database.transaction(register).await {
        Ok(user) => Ok((user, arrival.signed_in)),
        Err(error) => {
            if matches!(error, Error::Conflict(_)) {
                arrival.turn_away(sign_in).await;
            }
            Err(error)
        }
    }
}

//! Password reset: mailing a link, and setting a new password for the holder of the link.

use secrecy::SecretString;
use sqlx::PgConnection;

use super::{Identifier, SignIn, arrival::Arrival, proof::Proof, sessions};
use crate::{
    Error, Faults, Result,
    accounts::{self, Changed, Identity, OtherIdentity},
    descope::Descope,
    email::Email,
    http::{ClientAddress, OwnHost},
};

/// Mails a link, within the rate limits. An unknown address gets the same answer, but no mail.
pub async fn request(sign_in: &SignIn, email: &Email, address: &ClientAddress, host: &OwnHost) -> Result<()> {
    let page = &sign_in.messages.password_page(host)?;
    let limits = &sign_in.limits;
    // Counted separately from codes, so that a code does not delay a reset.
    let recipient = format!("password reset {email}");
    let messages = [
        limits.messages_at_once.on(&recipient),
        limits.messages_per_recipient.on(&recipient),
        limits.messages_per_address.on(&address.0),
    ];
    sign_in.throttle.check(&messages).await?;
    let descope = &sign_in.sessions.descope;
    // Two calls for every address, so that timing does not reveal whether it is registered. Descope mails a reset to
    // verified addresses only; its refusal of an unknown one is not passed on.
    match descope.user_with_login_id(email.as_str()).await? {
        Some(user) if !user.verified_email => descope.send_magic_link(email, page).await?,
        _ => descope.send_reset_mail(email, page).await?,
    };
    Ok(())
}

/// Sets a new password with the `t` of a link, which works once, and ends all sessions of the account.
pub async fn confirm(
    sign_in: &SignIn,
    token: &SecretString,
    new_password: &SecretString,
    address: &ClientAddress,
) -> Result<()> {
    sign_in.throttle.check(&[sign_in.limits.tries_per_address.on(&address.0)]).await?;
    let mut faults = Faults::default();
    // Checked before the link is used up.
    for fault in sign_in.sessions.descope.password_faults(new_password).await {
        faults.add("new_password", fault);
    }
    faults.or(())?;
    let signed_in = sign_in.sessions.descope.verify_link(token).await?;
    let arrival = Arrival::of(sign_in, signed_in).await?;
    let known = accounts::identity(&sign_in.sessions.database, arrival.id()).await?;
    let Some(email) = proved_address(&arrival, known) else {
        arrival.turn_away(sign_in).await;
        return Err(bad_link());
    };
    set_password(sign_in, arrival, known, Identifier::Email(email), new_password).await
}

/// The address that a link was mailed to: the one that Descope now reports as verified. A link can also be sent to a
/// phone, so a Descope user whose address was never proved here must not have a number.
fn proved_address(arrival: &Arrival, known: Option<Identity>) -> Option<Email> {
    let is_mailed = arrival.user.phone.is_empty() || known.is_some_and(|known| known.is_proven);
    arrival.user.email.parse().ok().filter(|_| arrival.user.verified_email && is_mailed)
}

/// Revokes the sessions first: after an interruption the user is signed out and requests another mail, and no session
/// outlives the reset.
async fn set_password(
    sign_in: &SignIn,
    arrival: Arrival,
    known: Option<Identity>,
    identifier: Identifier,
    new_password: &SecretString,
) -> Result<()> {
    let descope = &sign_in.sessions.descope;
    if let Some(known) = known {
        let others = if known.is_proven {
            accounts::other_identities(&sign_in.sessions.database, known.user_id, arrival.id()).await?
        } else {
            Vec::new()
        };
        let revoke = async |connection: &mut PgConnection| {
            accounts::lock(connection, &[arrival.id()]).await?;
            accounts::hold(connection, known.user_id).await?;
            if accounts::identity_in(&mut *connection, arrival.id()).await? != Some(known) {
                // The account was taken back meanwhile: this link must not touch its sessions or its password.
                return Err(bad_link());
            }
            accounts::refuse_blocked(&mut *connection, known.user_id).await?;
            if known.is_proven {
                let is_of_row = arrival.user.login_ids == [identifier.as_str()];
                if !is_of_row && !accounts::has_verified(&mut *connection, known.user_id, identifier.as_str()).await? {
                    // The Descope user was given another address, which is no way in to the account.
                    return Err(bad_link());
                }
                accounts::tell_of_change(connection, known.user_id, Changed::Password).await?;
                accounts::close_other_ways_in(&mut *connection, known.user_id, arrival.id()).await?;
            }
            Ok(accounts::revoke_sessions(connection, known.user_id).await?)
        };
        if let Err(error) = sign_in.sessions.database.transaction(revoke).await {
            if matches!(error, Error::Validation(_) | Error::Blocked) {
                arrival.turn_away(sign_in).await;
            }
            return Err(error);
        }
        for other in others {
            end_other(descope, &other).await?;
        }
    }
    let mut proof = Proof::new(&arrival, &identifier);
    if proof.is_first(known) || !arrival.user.opens_only_by(identifier.channel(), identifier.as_str()) {
        proof = proof.replace(sign_in).await?;
    }
    if proof.new_user().is_none() {
        descope.update_password(&arrival.signed_in.refresh_jwt, identifier.as_str(), new_password).await?;
        descope.log_out_user(arrival.id()).await?;
        // Until the log-out above, the holder of a refresh token could have set another password.
        let signed_in = descope.sign_in(identifier.as_str(), new_password).await.map_err(|error| match error {
            Error::InvalidCredentials => Error::conflict("new_password", "Please ask for another mail and try again."),
            error => error,
        })?;
        descope.log_out(&signed_in.refresh_jwt).await?;
    }
    let admit = async |connection: &mut PgConnection| {
        let admitted = proof.admit(connection).await.map_err(|error| match error {
            Error::InvalidOtp => bad_link(),
            error => error,
        })?;
        let user_id = admitted.ok_or_else(bad_link)?;
        // Includes sessions that were opened with the old password meanwhile.
        accounts::revoke_sessions(connection, user_id).await?;
        Ok::<_, Error>(user_id)
    };
    let user_id = sign_in.sessions.database.transaction(admit).await?;
    if let Some(new) = proof.new_user() {
        descope.reset_password(&new.user_id, new_password).await?;
    }
    sessions::end_at_descope(sign_in, user_id).await;
    Ok(())
}

fn bad_link() -> Error {
    Error::field("token", "This link is invalid or has expired.")
}

/// Ends the Descope sessions of another identity of the account. Another address may have another password, which is
/// replaced by an unknown one: the account keeps a single password.
async fn end_other(descope: &Descope, other: &OtherIdentity) -> Result<()> {
    if other.is_phone {
        descope.log_out_user(&other.descope_user_id).await
    } else {
        descope.forget_password(&other.descope_user_id).await
    }
}

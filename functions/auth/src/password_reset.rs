//! A forgotten password: a mail with a link, and a new password for whoever follows it.

use axum::extract::State;
use secrecy::SecretString;
use shared::{
    Error, Faults, Result,
    accounts::{self, Identity},
    email::Email,
    http::{ClientAddress, ErrorBody, Fields, Json, Read, Routes, routes},
};
use utoipa::ToSchema;

use crate::{
    App,
    identifier::Identifier,
    login::LONGEST_NEW_PASSWORD,
    proof::Proof,
    sessions::{self, Done},
    sign_in::Arrival,
    token_refresh::LONGEST_TOKEN,
};

pub(crate) fn routes() -> Routes<App> {
    routes!(request, confirm)
}

/// Whose password was forgotten.
#[derive(Debug, ToSchema)]
#[schema(as = PasswordResetRequest, example = json!({ "email": "user@example.com" }))]
struct Forgotten {
    #[schema(value_type = String)]
    email: Email,
}

impl Read for Forgotten {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: fields.value("email")? })
    }
}

/// Sends a mail with a link that sets a new password.
///
/// The answer is the same for addresses that are not registered.
#[utoipa::path(
    post, path = "/password-reset", operation_id = "request_password_reset", tag = "Accounts",
    request_body = Json<Forgotten>,
    responses(
        (status = 200, body = Done),
        (status = 400, body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn request(State(app): State<App>, address: ClientAddress, Json(forgotten): Json<Forgotten>) -> Result<Done> {
    let limits = &app.limits;
    // Counted apart from codes, so that a code does not stand in the way of a reset.
    let recipient = format!("password reset {}", forgotten.email);
    let messages = [
        limits.messages_at_once.on(&recipient),
        limits.messages_per_recipient.on(&recipient),
        limits.messages_per_address.on(&address.0),
    ];
    app.throttle.check(&messages).await?;
    let (descope, email, page) = (&app.sessions.descope, &forgotten.email, &app.messages.password_reset_url);
    // Two calls for every address, so that the time they take tells nothing. Descope mails a reset to verified
    // addresses only; for an unknown one it refuses, which is not told.
    match descope.user_with_login_id(email.as_str()).await? {
        Some(user) if !user.verified_email => descope.send_magic_link(email, page).await?,
        _ => descope.send_reset_mail(email, page).await?,
    };
    Ok(Done { message: "If this email is registered, a password reset link has been sent." })
}

/// The link of the mail, and the new password.
#[derive(Debug, ToSchema)]
#[schema(as = PasswordReset, example = json!({ "token": "the t of the link", "new_password": "securepassword456" }))]
struct Confirmation {
    /// The `t` of the link.
    #[schema(value_type = String)]
    token: SecretString,
    #[schema(value_type = String)]
    new_password: SecretString,
}

impl Read for Confirmation {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.secret("token", LONGEST_TOKEN);
        let new_password = fields.secret("new_password", LONGEST_NEW_PASSWORD);
        Some(Self { token: token?, new_password: new_password? })
    }
}

/// Sets a new password.
///
/// All sessions of the account end. A link works once.
#[utoipa::path(
    post, path = "/password-reset-confirm", operation_id = "confirm_password_reset", tag = "Accounts",
    request_body = Json<Confirmation>,
    responses(
        (status = 200, body = Done),
        (status = 400, body = ErrorBody),
        (status = 409, description = "Somebody else changed the password at the same time.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn confirm(
    State(app): State<App>,
    address: ClientAddress,
    Json(confirmation): Json<Confirmation>,
) -> Result<Done> {
    app.throttle.check(&[app.limits.tries_per_address.on(&address.0)]).await?;
    let Confirmation { token, new_password } = confirmation;
    let mut faults = Faults::default();
    // Before the link is used up.
    for fault in app.sessions.descope.password_faults(&new_password).await {
        faults.add("new_password", fault);
    }
    faults.or(())?;
    let signed_in = app.sessions.descope.verify_link(&token).await?;
    let arrival = Arrival::of(&app, signed_in).await?;
    let known = accounts::identity(&app.sessions.database, arrival.id()).await?;
    let Some(email) = proved_address(&arrival, known) else {
        arrival.turn_away(&app).await;
        return Err(bad_link());
    };
    set_password(&app, arrival, known, Identifier::Email(email), &new_password).await?;
    Ok(Done { message: "Password reset successfully" })
}

/// The address that a link was mailed to: the one that Descope calls verified now. A link can also be sent to a phone, so
/// somebody whose address was never proved here must not have one.
fn proved_address(arrival: &Arrival, known: Option<Identity>) -> Option<Email> {
    let is_mailed = arrival.user.phone.is_empty() || known.is_some_and(|known| known.is_proven);
    arrival.user.email.parse().ok().filter(|_| arrival.user.verified_email && is_mailed)
}

/// Sessions end first: should this be cut short, somebody is signed out and asks for another mail, and nobody who should
/// be out is in.
async fn set_password(
    app: &App,
    arrival: Arrival,
    known: Option<Identity>,
    identifier: Identifier,
    new_password: &SecretString,
) -> Result<()> {
    let descope = &app.sessions.descope;
    if let Some(known) = known {
        let mut transaction = app.sessions.database.begin().await?;
        accounts::lock(&mut transaction, &[arrival.id()]).await?;
        accounts::hold(&mut transaction, known.user_id).await?;
        if accounts::identity_in(&mut *transaction, arrival.id()).await? != Some(known) {
            // Somebody else has just taken the account back; their sessions and their password are none of ours.
            transaction.rollback().await?;
            arrival.turn_away(app).await;
            return Err(bad_link());
        }
        accounts::revoke_sessions(&mut transaction, known.user_id).await?;
        transaction.commit().await?;
        end_others(app, known.user_id, arrival.id()).await?;
    }
    let proof = Proof::of(app, arrival, &identifier).await?;
    if proof.replaced.is_none() {
        descope.update_password(&proof.arrival.signed_in.refresh_jwt, identifier.as_str(), new_password).await?;
        descope.log_out_user(proof.arrival.id()).await?;
        // Whoever held a refresh token could set another password until it was worth nothing.
        let signed_in = descope.sign_in(identifier.as_str(), new_password).await.map_err(|error| match error {
            Error::InvalidCredentials => Error::conflict("new_password", "Please ask for another mail and try again."),
            error => error,
        })?;
        descope.log_out(&signed_in.refresh_jwt).await?;
    }
    let mut transaction = app.sessions.database.begin().await?;
    let admitted = proof.admit(&mut transaction).await.map_err(|error| match error {
        Error::InvalidOtp => bad_link(),
        error => error,
    })?;
    let user_id = admitted.ok_or_else(bad_link)?;
    // Also of sessions that were opened with the old password in between.
    accounts::revoke_sessions(&mut transaction, user_id).await?;
    transaction.commit().await?;
    if let Some(replaced) = &proof.replaced {
        descope.reset_password(&replaced.user_id, new_password).await?;
    }
    sessions::end_at_descope(app, user_id).await;
    Ok(())
}

fn bad_link() -> Error {
    Error::field("token", "This link is invalid or has expired.")
}

/// Ends at Descope what the account's other identities have begun. Another address may have had another password: there
/// is one password now.
async fn end_others(app: &App, user_id: i64, descope_user_id: &str) -> Result<()> {
    let others = sqlx::query!(
        r#"
        select descope_user_id, phone is not null as "is_phone!" from user_identities
        where user_id = $1 and descope_user_id <> $2
        "#,
        user_id,
        descope_user_id
    )
    .fetch_all(&app.sessions.database.pool())
    .await?;
    for other in others {
        if other.is_phone {
            app.sessions.descope.log_out_user(&other.descope_user_id).await?;
        } else {
            app.sessions.descope.forget_password(&other.descope_user_id).await?;
        }
    }
    Ok(())
}

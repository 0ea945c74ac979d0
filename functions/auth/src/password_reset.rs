//! A forgotten password: a mail with a link, and a new password for whoever follows it.

use axum::extract::State;
use secrecy::SecretString;
use shared::{
    Error, Faults, Result, accounts,
    descope::SignedIn,
    email::Email,
    error::ErrorBody,
    http::{ClientAddress, Fields, Json, Read},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    login::{LONGEST_PASSWORD, email},
    proof::{self, Identifier},
    sessions::{self, Done},
    sign_in::Arrival,
    token_refresh::LONGEST_TOKEN,
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(request)).routes(routes!(confirm))
}

#[derive(Debug, ToSchema)]
struct Forgotten {
    #[schema(value_type = String, format = Email)]
    email: Email,
}

impl Read for Forgotten {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: email(fields)? })
    }
}

/// Sends a mail with which a new password can be set. The answer is the same for addresses that nobody registered.
#[utoipa::path(
    post, path = "/password-reset", operation_id = "request_password_reset", tag = "Accounts",
    request_body = Forgotten,
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
    }
    Ok(Done { message: "If this email is registered, a password reset link has been sent." })
}

#[derive(Debug, ToSchema)]
struct Confirmation {
    /// The `t` of the link.
    #[schema(value_type = String)]
    token: SecretString,
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

impl Read for Confirmation {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.secret("token", LONGEST_TOKEN);
        let new_password = fields.secret("new_password", LONGEST_PASSWORD);
        Some(Self { token: token?, new_password: new_password? })
    }
}

/// Sets a new password and ends all sessions of the account. A link works once.
#[utoipa::path(
    post, path = "/password-reset-confirm", operation_id = "confirm_password_reset", tag = "Accounts",
    request_body = Confirmation,
    responses(
        (status = 200, body = Done),
        (status = 400, body = ErrorBody),
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
    let set = set_password(&app, &arrival, &new_password).await;
    if set.is_err() {
        arrival.turn_away(&app).await;
    }
    set?;
    Ok(Done { message: "Password reset successfully" })
}

/// Sessions end first: should this be cut short, somebody is signed out and asks for another mail, and nobody who should
/// be out is in.
async fn set_password(app: &App, arrival: &Arrival, new_password: &SecretString) -> Result<()> {
    let pool = app.sessions.database.pool();
    let email = address_of(arrival)?;
    let known = accounts::identity(&pool, arrival.id()).await?;
    if let Some(known) = known {
        accounts::revoke_sessions(&pool, known.user_id).await?;
    }
    let SignedIn { refresh_jwt, .. } = &arrival.signed_in;
    app.sessions.descope.update_password(refresh_jwt, email.as_str(), new_password).await?;

    let is_first = proof::is_first(arrival, known);
    let mut transaction = app.sessions.database.begin().await?;
    accounts::lock(&mut transaction, arrival.id()).await?;
    let user_id = proof::admit(&mut transaction, arrival, &Identifier::Email(email), is_first).await?;
    // Also of sessions that were opened with the old password in between.
    accounts::revoke_sessions(&mut *transaction, user_id).await?;
    let others = sqlx::query_scalar!(
        "select descope_user_id from user_identities where user_id = $1 and descope_user_id <> $2 and phone is null",
        user_id,
        arrival.id()
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;

    for other in others {
        // The account has another address, perhaps with another password: there is one password now.
        app.sessions.descope.forget_password(&other).await?;
    }
    sessions::end_all_at_descope(app, arrival.id()).await;
    sessions::end_at_descope(app, user_id).await;
    Ok(())
}

/// The address that a link was mailed to.
fn address_of(arrival: &Arrival) -> Result<Email> {
    let mut texts = arrival.user.login_ids.iter().chain([&arrival.user.email]);
    let address = texts.find_map(|text| text.parse().ok());
    address.ok_or_else(|| Error::field("token", "This link is invalid or has expired."))
}

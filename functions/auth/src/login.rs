//! Signing in with e-mail address and password.

use axum::extract::State;
use secrecy::SecretString;
use shared::{
    Result, accounts,
    email::Email,
    http::{ClientAddress, Device, ErrorBody, Fields, Json, Read, Routes, routes},
};
use utoipa::ToSchema;

use crate::{
    App,
    sign_in::{self, Welcome},
};

pub(crate) fn routes() -> Routes<App> {
    routes!(login)
}

/// An address and its password.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "email": "user@example.com", "password": "securepassword123" }))]
struct Login {
    #[schema(value_type = String)]
    email: Email,
    #[schema(value_type = String)]
    password: SecretString,
}

impl Read for Login {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (email, password) = (fields.value("email"), fields.secret("password", LONGEST_PASSWORD));
        Some(Self { email: email?, password: password? })
    }
}

/// Far above what any password can be; one that is too long is wrong, like any other.
const LONGEST_PASSWORD: usize = 256;
/// Descope's own limit, whatever a project's rules are. Refused before anything is done for the new password.
pub(crate) const LONGEST_NEW_PASSWORD: usize = 64;

/// Signs in with a password.
///
/// A wrong password and an unknown address get the same answer.
#[utoipa::path(
    post, path = "/login", operation_id = "login", tag = "Accounts", request_body = Json<Login>,
    responses(
        (status = 200, body = Welcome),
        (status = 400, body = ErrorBody),
        (status = 401, description = "`INVALID_CREDENTIALS`.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn login(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(login): Json<Login>,
) -> Result<Welcome> {
    let limits = &app.limits;
    let tries = [limits.tries_per_identifier.on(login.email.as_str()), limits.tries_per_address.on(&address.0)];
    app.throttle.check(&tries).await?;
    let moment = accounts::now(&app.sessions.database).await?;
    let signed_in = app.sessions.descope.sign_in(login.email.as_str(), &login.password).await?;
    let (user, signed_in) = sign_in::with_password(&app, signed_in, moment, &device).await?;
    Ok(Welcome::new("Login successful", user, signed_in))
}

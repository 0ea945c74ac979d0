//! Sign-in with e-mail address and password.

use axum::extract::State;
use secrecy::SecretString;
use shared::{
    Result,
    email::Email,
    http::{ClientAddress, Device, Fields, FlatErrorBody as ErrorBody, Json, Read, Routes, routes},
    sign_in::password,
};
use utoipa::ToSchema;

use crate::{App, welcome::Welcome};

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
        let (email, password) = (fields.value("email"), fields.secret("password", password::LONGEST));
        Some(Self { email: email?, password: password? })
    }
}

/// Signs in with a password.
///
/// A wrong password and an unknown address get the same answer.
#[utoipa::path(
    post, path = "/login", operation_id = "login", tag = "Accounts", request_body = Json<Login>,
    responses(
        (status = 200, body = Welcome),
        (status = 400, body = ErrorBody),
        (status = 401, description = "`INVALID_CREDENTIALS`.", body = ErrorBody),
        (status = 403, description = "The account is blocked.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn login(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(login): Json<Login>,
) -> Result<Welcome> {
    let (user, signed_in) = password::sign_in(&app, &login.email, &login.password, &address, &device).await?;
    Ok(Welcome::new("Login successful", user, signed_in))
}

//! Password reset: a mail with a link, and the new password that the link sets.

use axum::extract::State;
use secrecy::SecretString;
use shared::{
    Result,
    email::Email,
    http::{ClientAddress, Fields, FlatErrorBody as ErrorBody, Json, OwnHost, Read, Routes, routes},
    sign_in::{password, password_reset, refresh::LONGEST_TOKEN},
};
use utoipa::ToSchema;

use crate::{App, sessions::Done};

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
async fn request(
    State(app): State<App>,
    address: ClientAddress,
    host: OwnHost,
    Json(forgotten): Json<Forgotten>,
) -> Result<Done> {
    password_reset::request(&app, &forgotten.email, &address, &host).await?;
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
        let new_password = fields.secret("new_password", password::LONGEST_NEW);
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
        (status = 403, description = "The account is blocked.", body = ErrorBody),
        (status = 409, description = "The password was changed at the same time.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn confirm(
    State(app): State<App>,
    address: ClientAddress,
    Json(confirmation): Json<Confirmation>,
) -> Result<Done> {
    password_reset::confirm(&app, &confirmation.token, &confirmation.new_password, &address).await?;
    Ok(Done { message: "Password reset successfully" })
}

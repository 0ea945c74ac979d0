//! Sign-in of the shop's people with e-mail address and password, as the staff app does it.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use lambda_http::http::StatusCode;
use secrecy::SecretString;
use serde::Serialize;
use shared::{
    Result,
    accounts::User,
    email::Email,
    http::{ClientAddress, Device, Fields, FlatErrorBody as ErrorBody, Json, Read, Routes, private_json, routes},
    sign_in::{Admits, password},
};
use utoipa::ToSchema;

use crate::{App, profile::Profile};

pub(crate) fn routes() -> Routes<App> {
    routes!(login, login_by_password)
}

/// An address and its password.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "identifier": "staff@example.com", "password": "securepassword123" }))]
struct StaffLogin {
    /// An e-mail address.
    #[schema(value_type = String)]
    identifier: Email,
    /// `identifier` by another name.
    #[schema(value_type = Option<String>)]
    #[expect(dead_code, reason = "described, and read into the other field")]
    email: (),
    #[schema(value_type = String)]
    password: SecretString,
}

impl Read for StaffLogin {
    fn read(fields: &mut Fields) -> Option<Self> {
        let identifier = fields.renamed_value("identifier", "email");
        let password = fields.secret("password", password::LONGEST);
        Some(Self { identifier: identifier?, email: (), password: password? })
    }
}

/// A user who works in the shop.
#[derive(Debug, Serialize, ToSchema)]
struct StaffUser {
    #[serde(flatten)]
    profile: Profile,
    /// Whether the user is an administrator.
    is_manager: bool,
    /// `admin` or `staff`.
    role: &'static str,
    /// First and last name; the user name if there is neither.
    name: String,
}

impl From<User> for StaffUser {
    fn from(user: User) -> Self {
        let name = format!("{} {}", user.first_name, user.last_name).trim().to_owned();
        Self {
            is_manager: user.is_superuser(),
            role: user.staff_role(),
            name: if name.is_empty() { user.public_name() } else { name },
            profile: user.into(),
        }
    }
}

/// The answer to a sign-in of staff.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedInStaff)]
struct StaffWelcome {
    #[schema(example = "Login successful")]
    message: &'static str,
    user: StaffUser,
    /// Send it as `Authorization: Bearer …` or `X-Session-Token`. Descope's, short-lived.
    session_token: String,
    /// Exchange it at `token/refresh/`. Descope's.
    refresh_token: String,
}

impl IntoResponse for StaffWelcome {
    fn into_response(self) -> Response {
        private_json(StatusCode::OK, &self)
    }
}

/// Signs in a user with a role of the shop.
///
/// A wrong password and an unknown address get the same answer. A user without a role is refused, and no session is opened.
#[utoipa::path(
    post, path = "/staff/login", operation_id = "login_staff", tag = "Accounts", request_body = Json<StaffLogin>,
    responses(
        (status = 200, body = StaffWelcome),
        (status = 400, body = ErrorBody),
        (status = 401, description = "`INVALID_CREDENTIALS`.", body = ErrorBody),
        (status = 403, description = "No role of the shop, or the account is blocked.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn login(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(login): Json<StaffLogin>,
) -> Result<StaffWelcome> {
    sign_in(app, &address, &device, &login).await
}

/// Signs in a user with a role of the shop, at its other path.
///
/// As `staff/login/`.
#[utoipa::path(
    post, path = "/staff/login/password", operation_id = "login_staff_by_password", tag = "Accounts",
    request_body = Json<StaffLogin>,
    responses(
        (status = 200, body = StaffWelcome),
        (status = 400, body = ErrorBody),
        (status = 401, description = "`INVALID_CREDENTIALS`.", body = ErrorBody),
        (status = 403, description = "No role of the shop, or the account is blocked.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn login_by_password(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(login): Json<StaffLogin>,
) -> Result<StaffWelcome> {
    sign_in(app, &address, &device, &login).await
}

async fn sign_in(app: App, address: &ClientAddress, device: &Device, login: &StaffLogin) -> Result<StaffWelcome> {
    let app = App { admits: Admits::Personnel, ..app };
    let (user, signed_in) = password::sign_in(&app, &login.identifier, &login.password, address, device).await?;
    Ok(StaffWelcome {
        message: "Login successful",
        user: user.into(),
        session_token: signed_in.session_jwt,
        refresh_token: signed_in.refresh_jwt,
    })
}

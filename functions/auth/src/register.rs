//! Registration with e-mail address and password.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use secrecy::SecretString;
use shared::{
    Error, Faults, Result,
    descope::Descope,
    email::Email,
    http::{ClientAddress, Device, FlatErrorBody as ErrorBody, Json, Routes, body, private_json, routes},
    phone::Phone,
    sign_in::{
        password,
        registration::{self, Registration},
        tries::Attempt,
    },
};
use utoipa::ToSchema;

use crate::{App, profile::LONGEST_NAME, welcome::Welcome};

pub(crate) fn routes() -> Routes<App> {
    routes!(register)
}

body! {
    /// A new account. The password must also meet the policy of the Descope project; all faults are reported at once.
    #[derive(Debug, ToSchema)]
    #[schema(as = Registration, example = json!({
        "email": "user@example.com", "password": "securepassword123", "first_name": "John", "last_name": "Doe",
        "phone_number": "98765 43210"
    }))]
    struct Form from fields {
        #[schema(value_type = String)]
        email: Option<Email> = fields.value("email"),
        #[schema(value_type = String)]
        password: Option<SecretString> = fields.secret("password", password::LONGEST_NEW),
        #[schema(value_type = String)]
        first_name: Option<String> = fields.text("first_name", LONGEST_NAME),
        #[schema(value_type = String)]
        last_name: Option<String> = fields.text("last_name", LONGEST_NAME),
        /// Any spelling. It is unverified until a one-time code proves it.
        #[schema(value_type = Option<String>)]
        phone_number: Option<Phone> = fields.value_if_any("phone_number"),
        #[schema(ignore)]
        faults: Faults = std::mem::take(&mut fields.faults),
    }
}

impl Form {
    async fn check(self, descope: &Descope) -> Result<Registration> {
        let mut faults = self.faults;
        if let Some(password) = &self.password {
            for fault in descope.password_faults(password).await {
                faults.add("password", fault);
            }
        }
        let registration = (|| {
            Some(Registration {
                email: self.email?,
                password: self.password?,
                first_name: self.first_name?,
                last_name: self.last_name?,
                phone_number: self.phone_number,
            })
        })();
        match registration {
            Some(registration) => faults.or(registration),
            None => Err(Error::Validation(faults)),
        }
    }
}

/// Registers with an address and a password.
///
/// Neither the address nor the number is verified by that.
#[utoipa::path(
    post, path = "/register", operation_id = "register", tag = "Accounts", request_body = Json<Form>,
    responses(
        (status = 201, body = Welcome),
        (status = 400, body = ErrorBody),
        (status = 409, description = "The address is registered, or a user has proved the number.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn register(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(form): Json<Form>,
) -> Result<Response> {
    let (email, phone) = (form.email.as_ref().map(Email::to_string), form.phone_number.as_ref().map(Phone::to_string));
    // A success stays counted too: registering costs a Descope user.
    Attempt::begin(&app, [&email, &phone].into_iter().flatten().map(String::as_str), &address).await?;
    let registration = form.check(&app.sessions.descope).await?;
    let (user, signed_in) = registration::register(&app, registration, &device).await?;
    Ok(private_json(StatusCode::CREATED, &Welcome::new("User registered successfully", user, signed_in)))
}

//! One-time codes: sending a code to a phone number or e-mail address, and verifying it.

mod bodies;

use std::str::FromStr;

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Error, Result,
    accounts::User,
    descope::Channel,
    http::{ClientAddress, Device, FlatErrorBody as ErrorBody, Json, Routes, private_json, routes},
    phone::Phone,
    session::Session,
    sign_in::{Identifier, NO_CODES, codes},
};
use utoipa::ToSchema;

use crate::{App, welcome::Welcome};
use bodies::{AnyRecipient, MaybeRecipient, PhoneProof, Proof, Recipient};

pub(crate) fn routes() -> Routes<App> {
    routes!(request_by_phone, resend_by_phone, verify_by_phone, login_by_phone, show_verification, request, verify)
}

/// A code that was sent; the same answer for known and unknown recipients.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeSent)]
struct Sent {
    #[schema(example = "OTP sent successfully")]
    message: &'static str,
    /// E.164.
    #[schema(required)]
    phone_number: Option<String>,
    /// For so many seconds the code can be used.
    expires_in: u64,
    /// At `otp/request/` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    /// At `otp/request/` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Channel>,
}

/// Sends a one-time code to a phone number.
///
/// The answer is the same for known and unknown numbers.
#[utoipa::path(
    post, path = "/phone/request-otp", operation_id = "request_phone_otp", tag = "One-time codes",
    request_body = Json<Recipient>,
    responses(
        (status = 200, body = Sent),
        (status = 400, body = ErrorBody),
        (status = 429, description = "One in 30 seconds, five an hour.", body = ErrorBody),
        (status = 503, description = "The limits cannot be counted at the moment.", body = ErrorBody),
    )
)]
async fn request_by_phone(
    State(app): State<App>,
    address: ClientAddress,
    Json(recipient): Json<Recipient>,
) -> Result<Response> {
    send(&app, &Identifier::Phone(recipient.phone_number), &address, "OTP sent successfully").await
}

/// Sends another code.
///
/// The code before it no longer works. Without `phone_number` it goes to the number of the session's user.
#[utoipa::path(
    post, path = "/phone/resend-otp", operation_id = "resend_phone_otp", tag = "One-time codes",
    request_body = Json<MaybeRecipient>, security((), ("session" = [])),
    responses(
        (status = 200, body = Sent),
        (status = 400, body = ErrorBody),
        (status = 401, description = "Neither number nor session.", body = ErrorBody),
        (status = 429, description = "One in 30 seconds, five an hour.", body = ErrorBody),
        (status = 503, description = "The limits cannot be counted at the moment.", body = ErrorBody),
    )
)]
async fn resend_by_phone(
    State(app): State<App>,
    session: Result<Option<Session>>,
    address: ClientAddress,
    Json(recipient): Json<MaybeRecipient>,
) -> Result<Response> {
    let phone = match recipient.phone_number {
        // With a number no session is needed, so an invalid one is ignored.
        Some(phone) => phone,
        None => number_of(&session?.ok_or(Error::NotAuthenticated)?.user)?,
    };
    send(&app, &Identifier::Phone(phone), &address, "OTP resent successfully").await
}

fn number_of(user: &User) -> Result<Phone> {
    let phone = user.phone.as_deref().and_then(|phone| Phone::from_str(phone).ok());
    phone.ok_or_else(|| Error::field("phone_number", "This field is required."))
}

/// Signs in with a code.
///
/// With a session: proves the number for that account instead.
#[utoipa::path(
    post, path = "/phone/verify-otp", operation_id = "verify_phone_otp", tag = "One-time codes",
    request_body = Json<PhoneProof>, security((), ("session" = [])),
    responses(
        (status = 200, body = Welcome),
        (status = 400, description = "`INVALID_OTP`, or fields at fault.", body = ErrorBody),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 403, description = "The account is blocked, or the session's last proof is older than 15 minutes.", body = ErrorBody),
        (status = 409, description = "Another user has proved this number.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn verify_by_phone(
    State(app): State<App>,
    session: Option<Session>,
    address: ClientAddress,
    device: Device,
    Json(proof): Json<PhoneProof>,
) -> Result<Welcome> {
    let identifier = Identifier::Phone(proof.phone_number);
    let (user, signed_in) =
        codes::prove(&app, session.as_ref(), &identifier, &proof.otp_code, &address, &device).await?;
    Ok(Welcome::new("OTP verified successfully", user, signed_in))
}

/// Signs in with a code, for older clients.
///
/// As `verify-otp/` without a session, except that a wrong code is 401.
#[utoipa::path(
    post, path = "/phone/login", operation_id = "login_by_phone", tag = "One-time codes", request_body = Json<PhoneProof>,
    responses(
        (status = 200, body = Welcome),
        (status = 400, body = ErrorBody),
        (status = 401, description = "The code is wrong or has expired.", body = ErrorBody),
        (status = 403, description = "The account is blocked.", body = ErrorBody),
        (status = 409, description = "Another user has proved this number at the same time.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn login_by_phone(
    State(app): State<App>,
    address: ClientAddress,
    device: Device,
    Json(proof): Json<PhoneProof>,
) -> Result<Welcome> {
    let identifier = Identifier::Phone(proof.phone_number);
    let proved = codes::prove(&app, None, &identifier, &proof.otp_code, &address, &device).await;
    let (user, signed_in) = proved.map_err(|error| match error {
        Error::InvalidOtp => Error::InvalidCredentials,
        error => error,
    })?;
    Ok(Welcome::new("Login successful", user, signed_in))
}

/// Sends a one-time code to a phone number or e-mail address.
///
/// The answer is the same for known and unknown ones.
#[utoipa::path(
    post, path = "/otp/request", operation_id = "request_otp", tag = "One-time codes", request_body = Json<AnyRecipient>,
    responses(
        (status = 200, body = Sent),
        (status = 400, body = ErrorBody),
        (status = 429, description = "One in 30 seconds, five an hour.", body = ErrorBody),
        (status = 503, description = "The limits cannot be counted at the moment.", body = ErrorBody),
    )
)]
async fn request(
    State(app): State<App>,
    address: ClientAddress,
    Json(recipient): Json<AnyRecipient>,
) -> Result<Response> {
    let identifier = recipient.identifier;
    codes::send(&app, &identifier, &address).await.map_err(|error| match error {
        Error::FaultyField(_) => Error::faulty_field("identifier", NO_CODES),
        error => error,
    })?;
    let sent = Sent {
        identifier: Some(identifier.as_str().to_owned()),
        method: Some(identifier.channel()),
        ..Sent::to(&app, &identifier, "OTP sent successfully")
    };
    Ok(private_json(StatusCode::OK, &sent))
}

/// Signs in with a code sent to a number or address.
///
/// With a session: proves the number or address for that account instead.
#[utoipa::path(
    post, path = "/otp/verify", operation_id = "verify_otp", tag = "One-time codes", request_body = Json<Proof>,
    security((), ("session" = [])),
    responses(
        (status = 200, body = Welcome),
        (status = 400, description = "`INVALID_OTP`, or fields at fault.", body = ErrorBody),
        (status = 401, description = "A session was sent that is not valid.", body = ErrorBody),
        (status = 403, description = "The account is blocked, or the session's last proof is older than 15 minutes.", body = ErrorBody),
        (status = 409, description = "Another user has proved this number or address.", body = ErrorBody),
        (status = 429, body = ErrorBody),
    )
)]
async fn verify(
    State(app): State<App>,
    session: Option<Session>,
    address: ClientAddress,
    device: Device,
    Json(proof): Json<Proof>,
) -> Result<Welcome> {
    let identifier = proof.identifier;
    let (user, signed_in) =
        codes::prove(&app, session.as_ref(), &identifier, &proof.otp_code, &address, &device).await?;
    Ok(Welcome {
        identifier: Some(identifier.as_str().to_owned()),
        method: Some(identifier.channel()),
        ..Welcome::new("OTP verified successfully", user, signed_in)
    })
}

/// Whether a number is proved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PhoneVerification)]
struct Verification {
    is_phone_verified: bool,
    /// E.164.
    #[schema(required)]
    phone_number: Option<String>,
}

/// Tells whether the number of the session's user is proved.
///
/// The number may be null.
#[utoipa::path(
    get, path = "/phone/verification-status", operation_id = "show_phone_verification", tag = "One-time codes",
    security(("session" = [])),
    responses((status = 200, body = Verification), (status = 401, body = ErrorBody))
)]
async fn show_verification(session: Session) -> Response {
    let user = session.user;
    let verification = Verification { is_phone_verified: user.is_phone_verified, phone_number: user.phone };
    private_json(StatusCode::OK, &verification)
}

impl Sent {
    fn to(app: &App, identifier: &Identifier, message: &'static str) -> Self {
        let phone_number = match identifier {
            Identifier::Phone(phone) => Some(phone.to_string()),
            Identifier::Email(_) => None,
        };
        Self { message, phone_number, expires_in: app.messages.code_lifetime.as_secs(), identifier: None, method: None }
    }
}

async fn send(app: &App, identifier: &Identifier, address: &ClientAddress, message: &'static str) -> Result<Response> {
    codes::send(app, identifier, address).await?;
    Ok(private_json(StatusCode::OK, &Sent::to(app, identifier, message)))
}

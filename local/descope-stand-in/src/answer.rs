//! Error answers: one table of all statuses, codes and descriptions.

use std::io;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(crate) type Result<T = Value> = std::result::Result<T, Refusal>;

/// An error answer: its reason and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    reason: Reason,
    message: String,
}

/// Reasons for an error answer. Guessed codes and statuses are marked: correct them here once seen at the real service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Status guessed.
    BadRequest,
    /// Status guessed.
    MissingArgument,
    /// Status guessed; so is this code for a password that violates the policy.
    ValidationFailed,
    /// Status guessed; so is this code for an unknown role or another user's login id.
    InvalidArgument,
    /// Unknown path or method. Guessed, except for the status.
    NoSuchEndpoint,
    /// Wrong project id or management key.
    Unauthorized,
    /// Missing, forged or expired token, or one of the wrong kind.
    InvalidToken,
    /// Code and status guessed: no source states them for a disabled user.
    UserDisabled,
    /// Status likely.
    WrongCode,
    /// Status guessed.
    TooManyTries,
    /// Status guessed.
    CodeExpired,
    /// Status guessed.
    UserExists,
    /// Unknown user, in the authentication API.
    UserNotFound,
    /// Status guessed; so is this code for a password reset.
    NotVerified,
    /// Code and status guessed.
    Conflict,
    /// Unknown, used or expired magic link.
    BadLink,
    /// The status is certain, the code is not.
    WrongPassword,
    /// Expired or temporary password.
    PasswordExpired,
    /// Status likely; this code for a rotated refresh token is guessed.
    LoggedOut,
    /// Code and status guessed.
    ManagementConflict,
    /// Unknown user, in the management API.
    ManagementUserNotFound,
    RateLimited,
    /// The state file cannot be written. Descope has no counterpart.
    NotKept,
}

impl Reason {
    /// Status, code and description.
    fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (400, "E011001", "Request is malformed"),
            Self::MissingArgument => (400, "E011002", "Request is missing required arguments"),
            Self::ValidationFailed => (400, "E011003", "Request is invalid"),
            Self::InvalidArgument => (400, "E011004", "Invalid argument"),
            Self::NoSuchEndpoint => (404, "E011001", "Endpoint not found"),
            Self::Unauthorized => (401, "E061004", "Unauthorized request"),
            Self::InvalidToken => (401, "E061005", "Invalid token"),
            Self::UserDisabled => (401, "E062904", "User is disabled"),
            Self::WrongCode => (401, "E061102", "Invalid one-time code"),
            Self::TooManyTries => (401, "E061103", "Too many one-time code attempts"),
            Self::CodeExpired => (401, "E061104", "One-time code expired"),
            Self::UserExists => (400, "E062107", "User already exists"),
            Self::UserNotFound => (400, "E062108", "User not found"),
            Self::NotVerified => (400, "E062115", "User is not verified"),
            Self::Conflict => (400, "E062125", "Update conflicts with another user"),
            Self::BadLink => (401, "E062504", "Token not found"),
            Self::WrongPassword => (401, "E062903", "Invalid signin credentials"),
            Self::PasswordExpired => (401, "E062909", "Password expired"),
            Self::LoggedOut => (401, "E064001", "Invalid token"),
            Self::ManagementConflict => (400, "E111127", "Update conflicts with another user"),
            Self::ManagementUserNotFound => (404, "E112102", "User not found"),
            Self::RateLimited => (429, "E130429", "https://docs.descope.com/rate-limiting"),
            Self::NotKept => (500, "E000000", "Internal error"),
        }
    }

    pub(crate) fn because(self, message: impl Into<String>) -> Refusal {
        Refusal { reason: self, message: message.into() }
    }
}

impl Refusal {
    /// Status and body.
    pub(crate) fn parts(&self) -> (u16, Value) {
        let (status, code, description) = self.reason.row();
        let body = json!({
            "errorCode": code,
            "errorDescription": description,
            "errorMessage": self.message,
            "message": self.message,
        });
        (status, body)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Reason::NotKept.because(format!("The state cannot be written: {error}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, body) = self.parts();
        stand_in::response(status, &body)
    }
}

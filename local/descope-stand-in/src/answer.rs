//! How a call is refused: one table of all codes, statuses and texts.

use std::io;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What a call comes to.
pub(crate) type Result<T = Value> = std::result::Result<T, Refusal>;

/// Why a call is refused, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    reason: Reason,
    message: String,
}

/// The reasons. A code, a status or both are guessed for those that say so: a look at the real service can correct them here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Status guessed.
    BadRequest,
    /// Status guessed.
    MissingArgument,
    /// Status guessed; that a password against the policy gets this code is a guess too.
    ValidationFailed,
    /// Status guessed; that an unknown role or a foreign login id gets this code is a guess too.
    InvalidArgument,
    /// The path or the method is unknown. All guessed but the status.
    NoSuchEndpoint,
    /// A wrong project id or management key.
    Unauthorized,
    /// A token that is not a good one.
    InvalidToken,
    /// Code and status guessed: no source tells what a disabled user gets.
    UserDisabled,
    /// Status likely.
    WrongCode,
    /// Status guessed.
    TooManyTries,
    /// Status guessed.
    CodeExpired,
    /// Status guessed.
    UserExists,
    /// The user is unknown to a call of the authentication API.
    UserNotFound,
    /// Status guessed; that a password reset gets this code is a guess too.
    NotVerified,
    /// Code and status guessed.
    Conflict,
    /// A magic link that is unknown, used or expired.
    BadLink,
    /// The status is sure, the code is not.
    WrongPassword,
    /// An expired or temporary password.
    PasswordExpired,
    /// Status likely; that a rotated refresh token gets this code is a guess.
    LoggedOut,
    /// Code and status guessed.
    ManagementConflict,
    /// The user is unknown to a call of the management API.
    ManagementUserNotFound,
    /// The rate limit.
    RateLimited,
    /// The file that keeps the state cannot be written. Descope has no such thing.
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
            Self::UserDisabled => (401, "E061004", "User is disabled"),
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

    /// A refusal for this reason.
    pub(crate) fn because(self, message: impl Into<String>) -> Refusal {
        Refusal { reason: self, message: message.into() }
    }
}

impl Refusal {
    /// The status and the body.
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

//! Errors of requests: status, code, message and details. `http::failure` renders them.

mod faults;

use chrono::NaiveDateTime;
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

pub use faults::Faults;

use crate::{config, database, redis};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request failed. The message is safe to show to the caller; a source is only logged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: some fields are invalid.
    #[error("{}", .0.sentence())]
    Validation(Faults),
    /// 400: one field is invalid. Its sentence is also the message, because older clients show nothing else.
    #[error("{}", .0.first())]
    FaultyField(Faults),
    /// 400: the body is not JSON.
    #[error("The body is not valid JSON.")]
    Parse,
    /// 401: the route needs a credential, and none was sent.
    #[error("Authentication credentials were not provided.")]
    NotAuthenticated,
    /// 401: the session token was not issued by Descope for this project.
    #[error("The session token is not valid.")]
    TokenInvalid,
    /// 401: the session token was valid until it expired; clients refresh on that.
    #[error("The session token has expired.")]
    TokenExpired,
    /// 401: the session was revoked here.
    #[error("This session has been ended. Please sign in again.")]
    SessionRevoked,
    /// 401: unknown login id or wrong password; the answer does not say which.
    #[error("Invalid credentials.")]
    InvalidCredentials,
    /// 400: the one-time code is wrong, used or expired.
    #[error("The code is wrong or has expired.")]
    InvalidOtp,
    /// 400: a checkout or a webhook is not signed by Razorpay.
    #[error("Invalid payment signature")]
    InvalidSignature,
    /// 400: online payment is switched off.
    #[error("Razorpay payment is currently disabled. Please use cash payment.")]
    PaymentsDisabled,
    /// 403: the caller is known and lacks the permission.
    #[error("You do not have permission to perform this action.")]
    PermissionDenied,
    /// 403: the shop has blocked the account. Told only to a person who has proved that it is theirs.
    #[error("This account is blocked. Please call the shop.")]
    Blocked,
    /// 403: a number or address was to be added in a session whose user has not proved who they are for a while.
    #[error("Please sign in again, or prove your present number or address with a code, before you add another one.")]
    ProofTooOld,
    /// 403: the staff key is missing or wrong.
    #[error("The API key is missing or wrong.")]
    ApiKeyInvalid,
    /// 404, with the name of the resource. No full stop: payment clients compare this sentence.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// 405: the path exists, the method does not. The router adds `Allow`.
    #[error("This method is not allowed here.")]
    MethodNotAllowed,
    /// 413: the body is larger than the limit.
    #[error("The body is too large: at most 64 KiB are read.")]
    PayloadTooLarge,
    /// 415: the content type is not JSON.
    #[error("Send the body as application/json.")]
    UnsupportedMediaType,
    /// 409: the slot is full. Holds the nearest free starts, in the shop's local time.
    #[error("{}", full(.0))]
    SlotFull(Vec<NaiveDateTime>),
    /// 409: the status transition is not allowed. Holds the next statuses that are.
    #[error("The booking cannot be changed in its present status.")]
    IllegalTransition(Vec<&'static str>),
    /// 409: the first request with this `Idempotency-Key` is still running.
    #[error("A request with this Idempotency-Key is still being worked on. Please try again.")]
    IdempotencyInProgress,
    /// 409: the booking is paid.
    #[error("This booking has already been paid.")]
    AlreadyPaid,
    /// 409: the payment's amount or currency is not that of its order. It was written down, and staff see it.
    #[error("The amount paid is not the amount of this booking. The payment is noted, and the shop will settle it.")]
    PaymentMismatch,
    /// 409: the booking is cancelled and cannot be paid.
    #[error("This booking has been cancelled.")]
    BookingCancelled,
    /// 409: this booking needs a caller who has proved the number.
    #[error("Please sign in with the phone number of this booking to book it. Only a few bookings are taken without.")]
    ProofNeeded,
    /// 409: the customer can change the booking no more. The sentence says what to do.
    #[error("{0}")]
    TooLate(String),
    /// 409: a unique value is already in use; sentences by field.
    #[error("{}", .0.first())]
    Conflict(Faults),
    /// 422: the `Idempotency-Key` was sent before with another body.
    #[error("This Idempotency-Key was used with another request.")]
    IdempotencyKeyReused,
    /// 429: a rate limit is exceeded.
    #[error("Too many requests. Please try again in {retry_after_seconds} seconds.")]
    Throttled { retry_after_seconds: u64 },
    /// 502: Descope or Razorpay failed.
    #[error("{service} is not available at the moment. Please try again shortly.")]
    Upstream {
        /// The service's purpose, in words for the caller.
        service: &'static str,
        /// For the log, without secrets and personal data.
        reason: String,
    },
    /// 504: Descope or Razorpay did not answer in time.
    #[error("{service} did not answer in time. Please try again.")]
    UpstreamTimeout { service: &'static str },
    /// 503: a secret that the request needs has not been read yet.
    #[error("{UNAVAILABLE}")]
    Unset(#[from] config::Error),
    /// 503 if Postgres is unreachable or overloaded, else 500.
    #[error("{}", if database::is_unavailable(.0) { UNAVAILABLE } else { INTERNAL })]
    Database(#[from] sqlx::Error),
    /// 503: Redis is unavailable and this request needs it.
    #[error("{UNAVAILABLE}")]
    Redis(#[from] redis::Error),
    /// 503: the request timed out.
    #[error("{UNAVAILABLE}")]
    Deadline,
    /// 500: a broken assumption.
    #[error("{INTERNAL}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

const UNAVAILABLE: &str = "The service is not available at the moment. Please try again shortly.";
const INTERNAL: &str = "Something went wrong on our side. Please try again later.";

/// Says that a time is taken, and which are free.
fn full(starts: &[NaiveDateTime]) -> String {
    const NAMED: usize = 3;
    const FULL: &str = "This time is fully booked.";
    let starts: Vec<String> =
        starts.iter().take(NAMED).map(|start| start.format("%A %-d %B at %H:%M").to_string()).collect();
    match starts.as_slice() {
        [] => format!("{FULL} Please choose another."),
        [only] => format!("{FULL} The nearest free time is {only}."),
        [first @ .., last] => format!("{FULL} The nearest free times are {} and {last}.", first.join(", ")),
    }
}

/// The machine-readable code of an error; each code has one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    AlreadyPaid,
    ApiKeyInvalid,
    BookingCancelled,
    Conflict,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    IllegalTransition,
    InternalError,
    InvalidCredentials,
    InvalidOtp,
    InvalidSignature,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    ParseError,
    PayloadTooLarge,
    PaymentMismatch,
    PaymentsDisabled,
    PermissionDenied,
    ProofNeeded,
    ServiceUnavailable,
    SessionRevoked,
    SlotFull,
    Throttled,
    TokenExpired,
    TokenInvalid,
    TooLate,
    UnsupportedMediaType,
    UpstreamError,
    UpstreamTimeout,
    ValidationError,
}

impl Code {
    pub const ALL: [Self; 31] = [
        Self::AlreadyPaid,
        Self::ApiKeyInvalid,
        Self::BookingCancelled,
        Self::Conflict,
        Self::IdempotencyInProgress,
        Self::IdempotencyKeyReused,
        Self::IllegalTransition,
        Self::InternalError,
        Self::InvalidCredentials,
        Self::InvalidOtp,
        Self::InvalidSignature,
        Self::MethodNotAllowed,
        Self::NotAuthenticated,
        Self::NotFound,
        Self::ParseError,
        Self::PayloadTooLarge,
        Self::PaymentMismatch,
        Self::PaymentsDisabled,
        Self::PermissionDenied,
        Self::ProofNeeded,
        Self::ServiceUnavailable,
        Self::SessionRevoked,
        Self::SlotFull,
        Self::Throttled,
        Self::TokenExpired,
        Self::TokenInvalid,
        Self::TooLate,
        Self::UnsupportedMediaType,
        Self::UpstreamError,
        Self::UpstreamTimeout,
        Self::ValidationError,
    ];

    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidOtp
            | Self::InvalidSignature
            | Self::ParseError
            | Self::PaymentsDisabled
            | Self::ValidationError => StatusCode::BAD_REQUEST,
            Self::InvalidCredentials
            | Self::NotAuthenticated
            | Self::SessionRevoked
            | Self::TokenExpired
            | Self::TokenInvalid => StatusCode::UNAUTHORIZED,
            Self::ApiKeyInvalid | Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::AlreadyPaid
            | Self::BookingCancelled
            | Self::Conflict
            | Self::IdempotencyInProgress
            | Self::IllegalTransition
            | Self::PaymentMismatch
            | Self::ProofNeeded
            | Self::SlotFull
            | Self::TooLate => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UpstreamError => StatusCode::BAD_GATEWAY,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl Error {
    /// One invalid field.
    pub fn field(field: &str, sentence: &str) -> Self {
        Self::Validation(Faults::from((field, sentence)))
    }

    /// One invalid field, whose sentence is also the message.
    pub fn faulty_field(field: &str, sentence: &str) -> Self {
        Self::FaultyField(Faults::from((field, sentence)))
    }

    /// One field whose value is already in use.
    pub fn conflict(field: &str, sentence: &str) -> Self {
        Self::Conflict(Faults::from((field, sentence)))
    }

    /// A broken assumption, with what was expected.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    pub fn code(&self) -> Code {
        match self {
            Self::Validation(_) | Self::FaultyField(_) => Code::ValidationError,
            Self::Parse => Code::ParseError,
            Self::NotAuthenticated => Code::NotAuthenticated,
            Self::TokenInvalid => Code::TokenInvalid,
            Self::TokenExpired => Code::TokenExpired,
            Self::SessionRevoked => Code::SessionRevoked,
            Self::InvalidCredentials => Code::InvalidCredentials,
            Self::InvalidOtp => Code::InvalidOtp,
            Self::InvalidSignature => Code::InvalidSignature,
            Self::PaymentsDisabled => Code::PaymentsDisabled,
            Self::PermissionDenied | Self::Blocked | Self::ProofTooOld => Code::PermissionDenied,
            Self::ApiKeyInvalid => Code::ApiKeyInvalid,
            Self::NotFound(_) => Code::NotFound,
            Self::MethodNotAllowed => Code::MethodNotAllowed,
            Self::PayloadTooLarge => Code::PayloadTooLarge,
            Self::UnsupportedMediaType => Code::UnsupportedMediaType,
            Self::SlotFull(_) => Code::SlotFull,
            Self::IllegalTransition(_) => Code::IllegalTransition,
            Self::IdempotencyInProgress => Code::IdempotencyInProgress,
            Self::AlreadyPaid => Code::AlreadyPaid,
            Self::PaymentMismatch => Code::PaymentMismatch,
            Self::BookingCancelled => Code::BookingCancelled,
            Self::ProofNeeded => Code::ProofNeeded,
            Self::TooLate(_) => Code::TooLate,
            Self::Conflict(_) => Code::Conflict,
            Self::IdempotencyKeyReused => Code::IdempotencyKeyReused,
            Self::Throttled { .. } => Code::Throttled,
            Self::Upstream { .. } => Code::UpstreamError,
            Self::UpstreamTimeout { .. } => Code::UpstreamTimeout,
            Self::Database(source) if database::is_unavailable(source) => Code::ServiceUnavailable,
            Self::Deadline | Self::Redis(_) | Self::Unset(_) => Code::ServiceUnavailable,
            Self::Database(_) | Self::Internal(_) => Code::InternalError,
        }
    }

    /// Details for the caller: sentences by field, free starts, or allowed statuses; else `{}`.
    pub fn details(&self) -> Value {
        match self {
            Self::Validation(faults) | Self::FaultyField(faults) | Self::Conflict(faults) => json!(faults),
            Self::SlotFull(starts) => {
                let start = |start: &NaiveDateTime| json!({ "date": start.date(), "time": start.time() });
                json!({ "available": starts.iter().map(start).collect::<Vec<_>>() })
            }
            Self::IllegalTransition(allowed) => json!({ "allowed": allowed }),
            _ => json!({}),
        }
    }

    /// The error for the log. A message of Postgres may quote values of a row, so only its code and constraint are
    /// logged.
    pub fn source_for_log(&self) -> String {
        match self {
            Self::Database(sqlx::Error::Database(source)) => format!(
                "postgres {}{}",
                source.code().unwrap_or_default(),
                source.constraint().map(|name| format!(" on {name}")).unwrap_or_default()
            ),
            Self::Database(source) => source.to_string(),
            Self::Redis(source) => source.to_string(),
            Self::Unset(source) => source.to_string(),
            Self::Internal(source) => source.to_string(),
            Self::Upstream { reason, .. } => reason.clone(),
            other => other.to_string(),
        }
    }
}

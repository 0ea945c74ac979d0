//! Why a request failed, and the one body in which every failure is told.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use chrono::{NaiveDate, NaiveTime};
use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::error;
use utoipa::ToSchema;

use crate::{
    config,
    database::{is_lost, is_refused},
};

/// The result of whatever serves a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with the fields of a request: sentences by field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    /// Notes a fault; the same sentence stands once under its field.
    pub fn add(&mut self, field: &str, sentence: impl Into<String>) {
        let sentences = self.0.entry(field.to_owned()).or_default();
        let sentence = sentence.into();
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }

    /// Adds what else is wrong.
    pub fn merge(&mut self, others: Self) {
        for (field, sentences) in others.0 {
            for sentence in sentences {
                self.add(&field, sentence);
            }
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first sentence, for who reads only one.
    fn first(&self) -> &str {
        self.0.values().flatten().next().map(String::as_str).unwrap_or_default()
    }

    /// `value` if nothing is wrong, else the faults as an error.
    pub fn or<T>(self, value: T) -> Result<T> {
        if self.is_empty() { Ok(value) } else { Err(Error::Validation(self)) }
    }
}

impl From<(&str, &str)> for Faults {
    fn from((field, sentence): (&str, &str)) -> Self {
        let mut faults = Self::default();
        faults.add(field, sentence);
        faults
    }
}

/// A start that can still be booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FreeSlot {
    /// The day, in the shop's time zone.
    pub date: NaiveDate,
    /// The start, in the shop's time zone.
    pub time: NaiveTime,
}

/// Why a request failed. The sentence is safe to show; a source is only logged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: fields are at fault.
    #[error("Invalid input: {}.", .0.0.keys().cloned().collect::<Vec<_>>().join(", "))]
    Validation(Faults),
    /// 400: one field is at fault, and its sentence is the message too, because older clients show nothing else.
    #[error("{}", .0.first())]
    FaultyField(Faults),
    /// 400: the body is no JSON.
    #[error("The body is not valid JSON.")]
    Parse,
    /// 401: a credential is needed.
    #[error("Authentication credentials were not provided.")]
    NotAuthenticated,
    /// 401: a session token that proves nothing.
    #[error("The session token is not valid.")]
    TokenInvalid,
    /// 401: a session token that was good until it expired; clients refresh on that.
    #[error("The session token has expired.")]
    TokenExpired,
    /// 401: the session was ended here, by its user or for their safety.
    #[error("This session has been ended. Please sign in again.")]
    SessionRevoked,
    /// 401: what somebody tried to sign in with is wrong; it is not told what of it.
    #[error("Invalid credentials.")]
    InvalidCredentials,
    /// 400: a one-time code that is wrong, used up or too old.
    #[error("The code is wrong or has expired.")]
    InvalidOtp,
    /// 400: what the browser says of a payment is not signed by Razorpay, or a webhook is not.
    #[error("Invalid payment signature")]
    InvalidSignature,
    /// 400: bookings cannot be paid online here.
    #[error("Razorpay payment is currently disabled. Please use cash payment.")]
    PaymentsDisabled,
    /// 403: who calls is known, and may not do this.
    #[error("You do not have permission to perform this action.")]
    PermissionDenied,
    /// 403: no staff key, or a wrong one.
    #[error("The API key is missing or wrong.")]
    ApiKeyInvalid,
    /// 404, with the name of what is not there. Without a full stop, as clients know it of payments.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// 405: the path exists, the method does not. `Allow` is added by the router.
    #[error("This method is not allowed here.")]
    MethodNotAllowed,
    /// 413: more than the body limit.
    #[error("The body is too large: at most 64 KiB are read.")]
    PayloadTooLarge,
    /// 415: a body that is not announced as JSON.
    #[error("Send the body as application/json.")]
    UnsupportedMediaType,
    /// 409: the slot has no room; the nearest ones that have.
    #[error("This time is fully booked. Please choose another.")]
    SlotFull(Vec<FreeSlot>),
    /// 409: a change of status that the rules do not know, and those that they do.
    #[error("The booking cannot be changed in its present status.")]
    IllegalTransition(Vec<&'static str>),
    /// 409: the first request with this `Idempotency-Key` has not been answered yet.
    #[error("A request with this Idempotency-Key is still being worked on. Please try again.")]
    IdempotencyInProgress,
    /// 409: the money is there.
    #[error("This booking has already been paid.")]
    AlreadyPaid,
    /// 409: nothing is to be paid for a booking that is cancelled.
    #[error("This booking has been cancelled.")]
    BookingCancelled,
    /// 409: something is taken; sentences by field.
    #[error("{}", .0.first())]
    Conflict(Faults),
    /// 422: the key came with another body before.
    #[error("This Idempotency-Key was used with another request.")]
    IdempotencyKeyReused,
    /// 429: too many requests of a class.
    #[error("Too many requests. Please try again in {retry_after_seconds} seconds.")]
    Throttled {
        /// When the next request may pass.
        retry_after_seconds: u64,
    },
    /// 502: a service of others failed, as only the log tells.
    #[error("{service} is not available at the moment. Please try again shortly.")]
    Upstream {
        /// What it does for us, as a caller may read it.
        service: &'static str,
        /// Without secrets and personal data.
        reason: String,
    },
    /// 504: a service of others did not answer in time.
    #[error("{service} did not answer in time. Please try again.")]
    UpstreamTimeout {
        /// What it does for us, as a caller may read it.
        service: &'static str,
    },
    /// 503: a secret that the request needs could not be read yet.
    #[error("{UNAVAILABLE}")]
    Unset(#[from] config::Error),
    /// 503 if Postgres cannot be reached or is overloaded, else 500.
    #[error("{}", if is_unavailable(.0) { UNAVAILABLE } else { INTERNAL })]
    Database(#[from] sqlx::Error),
    /// 503: what the request needs did not answer before the deadline.
    #[error("{UNAVAILABLE}")]
    Deadline,
    /// 500: a broken assumption.
    #[error("{INTERNAL}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

const UNAVAILABLE: &str = "The service is not available at the moment. Please try again shortly.";
const INTERNAL: &str = "Something went wrong on our side. Please try again later.";

impl Error {
    /// A single field at fault.
    pub fn field(field: &str, sentence: &str) -> Self {
        Self::Validation(Faults::from((field, sentence)))
    }

    /// A single field at fault, whose sentence is the message too.
    pub fn faulty_field(field: &str, sentence: &str) -> Self {
        Self::FaultyField(Faults::from((field, sentence)))
    }

    /// What a field says is taken.
    pub fn conflict(field: &str, sentence: &str) -> Self {
        Self::Conflict(Faults::from((field, sentence)))
    }

    /// A broken assumption, with what was expected.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Validation(_) | Self::FaultyField(_) => (StatusCode::BAD_REQUEST, "VALIDATION_ERROR"),
            Self::Parse => (StatusCode::BAD_REQUEST, "PARSE_ERROR"),
            Self::NotAuthenticated => (StatusCode::UNAUTHORIZED, "NOT_AUTHENTICATED"),
            Self::TokenInvalid => (StatusCode::UNAUTHORIZED, "TOKEN_INVALID"),
            Self::TokenExpired => (StatusCode::UNAUTHORIZED, "TOKEN_EXPIRED"),
            Self::SessionRevoked => (StatusCode::UNAUTHORIZED, "SESSION_REVOKED"),
            Self::InvalidCredentials => (StatusCode::UNAUTHORIZED, "INVALID_CREDENTIALS"),
            Self::InvalidOtp => (StatusCode::BAD_REQUEST, "INVALID_OTP"),
            Self::InvalidSignature => (StatusCode::BAD_REQUEST, "INVALID_SIGNATURE"),
            Self::PaymentsDisabled => (StatusCode::BAD_REQUEST, "PAYMENTS_DISABLED"),
            Self::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
            Self::ApiKeyInvalid => (StatusCode::FORBIDDEN, "API_KEY_INVALID"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
            Self::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE"),
            Self::SlotFull(_) => (StatusCode::CONFLICT, "SLOT_FULL"),
            Self::IllegalTransition(_) => (StatusCode::CONFLICT, "ILLEGAL_TRANSITION"),
            Self::IdempotencyInProgress => (StatusCode::CONFLICT, "IDEMPOTENCY_IN_PROGRESS"),
            Self::AlreadyPaid => (StatusCode::CONFLICT, "ALREADY_PAID"),
            Self::BookingCancelled => (StatusCode::CONFLICT, "BOOKING_CANCELLED"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "CONFLICT"),
            Self::IdempotencyKeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED"),
            Self::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, "THROTTLED"),
            Self::Upstream { .. } => (StatusCode::BAD_GATEWAY, "UPSTREAM_ERROR"),
            Self::UpstreamTimeout { .. } => (StatusCode::GATEWAY_TIMEOUT, "UPSTREAM_TIMEOUT"),
            Self::Database(source) if is_unavailable(source) => {
                (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE")
            }
            Self::Deadline | Self::Unset(_) => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"),
            Self::Database(_) | Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Validation(faults) | Self::FaultyField(faults) | Self::Conflict(faults) => json!(faults),
            Self::SlotFull(available) => json!({ "available": available }),
            Self::IllegalTransition(allowed) => json!({ "allowed": allowed }),
            _ => json!({}),
        }
    }
}

/// The body of every failure.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Always `true`.
    #[schema(example = true)]
    pub error: bool,
    /// A sentence that can be shown.
    #[schema(example = "Invalid input: customer_phone.")]
    pub message: String,
    /// The HTTP status.
    #[schema(example = 400)]
    pub status_code: u16,
    /// What a program decides by.
    #[schema(example = "VALIDATION_ERROR")]
    pub code: &'static str,
    /// Sentences by field, or what helps with a conflict; `{}` otherwise.
    #[schema(value_type = Object, example = json!({ "customer_phone": ["Enter a valid phone number."] }))]
    pub details: Value,
    /// The same sentence, for clients of the former service.
    #[schema(example = "Invalid input: customer_phone.")]
    pub detail: String,
}

impl ErrorBody {
    /// The body of a failure with this status, code, sentence and details.
    pub fn new(status: StatusCode, code: &'static str, message: String, details: impl Serialize) -> Self {
        let details = serde_json::to_value(details).unwrap_or_else(|_| json!({}));
        Self { error: true, status_code: status.as_u16(), code, details, detail: message.clone(), message }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.kind();
        if status.is_server_error() {
            error!(code, source = source_of(&self), "request failed");
        }
        let body = ErrorBody::new(status, code, self.to_string(), self.details());
        let mut response = crate::http::private_json(status, &body);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        match &self {
            // Whatever was waited for in vain may be the connection, and the pool would go on waiting for it.
            Self::Database(sqlx::Error::PoolTimedOut) | Self::Deadline => {
                response.extensions_mut().insert(Lost::Pool);
            }
            Self::Database(error) if is_lost(error) => {
                response.extensions_mut().insert(Lost::Connection);
            }
            Self::Database(error) if is_refused(error) => {
                response.extensions_mut().insert(Lost::Login);
            }
            _ => {}
        }
        let headers = response.headers_mut();
        if let Self::Throttled { retry_after_seconds } = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds));
        }
        response
    }
}

/// Goes with the answer to a request that failed because something on the way to Postgres was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The one connection: a new one may do.
    Connection,
    /// User or password were refused: they may have changed.
    Login,
    /// No connection could be had, or time is up: the pool may be waiting for a lost one.
    Pool,
}

/// What the log says of a failure. A database's own message may quote values of a row, so only its code and the
/// constraint are told.
fn source_of(error: &Error) -> String {
    match error {
        Error::Database(sqlx::Error::Database(source)) => format!(
            "postgres {}{}",
            source.code().unwrap_or_default(),
            source.constraint().map(|name| format!(" on {name}")).unwrap_or_default()
        ),
        Error::Database(source) => source.to_string(),
        Error::Unset(source) => source.to_string(),
        Error::Internal(source) => source.to_string(),
        Error::Upstream { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// Whether Postgres is away or overloaded, so that the same request may succeed later.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Connection, idle in a transaction for too long, authorisation, rollback (deadlock), resources, cancelled or not
        // available, shutdown.
        sqlx::Error::Database(source) => source.code().is_some_and(|code| {
            ["08", "25P03", "28", "3D", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

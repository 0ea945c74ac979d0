//! What Descope's refusals mean: the one place where its codes become ours. Nothing that it says is passed on.
//!
//! Descope documents few of its codes; what decides is the HTTP status and which call it was, and a code only where one
//! is known for sure.

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use tracing::info;

use crate::{Error, config};

/// What Descope does for us, as a caller may read it.
pub const SERVICE: &str = "The sign-in service";

/// When Descope does not say how long to wait.
const DEFAULT_RETRY_AFTER_SECONDS: u64 = 60;
const LONGEST_RETRY_AFTER_SECONDS: u64 = 3600;

/// Why a call had no success.
#[derive(Debug)]
pub(super) enum Failure {
    /// Descope says no.
    Refused(Refusal),
    /// Too many calls from our address, or to one recipient.
    TooMany { retry_after_seconds: u64 },
    /// No answer in time. Whether it was done is not known.
    Timeout,
    /// It was not even received.
    NotSent(String),
    /// It could not be tried: a key is not known yet.
    Unset(config::Error),
    /// Anything else than an answer of Descope's application.
    Unavailable(String),
}

/// A refusal by Descope's application.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: String,
}

/// What a refusal means where it can mean something for the caller.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// Name and password do not fit.
    Credentials,
    /// Nothing can be sent there.
    Recipient,
    /// The code is none.
    Code,
    /// The link is none.
    Link,
    /// The new password is not good enough. The name of its field.
    Password(&'static str),
    /// The refresh token is none, any more.
    RefreshToken,
    /// Nothing that a caller could mend.
    Nothing,
}

impl Failure {
    /// A failure by its status and body.
    pub(super) fn of(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            error_code: String,
        }
        match serde_json::from_slice::<Body>(body) {
            Ok(body) if status.is_client_error() => Self::Refused(Refusal { status, code: body.error_code }),
            // A proxy on the way, or a fault of Descope's.
            _ => Self::Unavailable(format!("status {}", status.as_u16())),
        }
    }

    /// The contract's error for this failure.
    pub(super) fn means(self, meaning: Meaning) -> Error {
        match self {
            Self::Refused(refusal) => refusal.means(meaning),
            Self::TooMany { retry_after_seconds } => Error::Throttled { retry_after_seconds },
            Self::Timeout => Error::UpstreamTimeout { service: SERVICE },
            Self::Unset(error) => Error::Unset(error),
            Self::NotSent(reason) | Self::Unavailable(reason) => Error::Upstream { service: SERVICE, reason },
        }
    }
}

impl Refusal {
    /// E062107: the login id is taken.
    pub(super) fn is_taken(&self) -> bool {
        self.code == "E062107"
    }

    /// E062108, or E112102 from the management API: there is no such user.
    pub(super) fn is_unknown_user(&self) -> bool {
        self.status == StatusCode::NOT_FOUND || ["E062108", "E112102"].contains(&self.code.as_str())
    }

    /// 401, E064001 or E061005: the token is worth nothing any more, or its user is gone.
    pub(super) fn has_ended(&self) -> bool {
        let is_told = ["E064001", "E061005"].contains(&self.code.as_str());
        self.status == StatusCode::UNAUTHORIZED || is_told || self.is_unknown_user()
    }

    /// E061004: the key of the project was refused, or a user is disabled.
    pub(super) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.code == "E061004"
    }

    /// E061001: the way to sign in is switched off in the project. 403: the project does not let us.
    fn is_misconfiguration(&self) -> bool {
        self.code == "E061001" || self.status == StatusCode::FORBIDDEN
    }

    fn means(self, meaning: Meaning) -> Error {
        let error = match meaning {
            _ if self.is_misconfiguration() => None,
            // Nobody has to prove anything to have a code sent: it is the project that Descope does not know.
            Meaning::Recipient if self.status == StatusCode::UNAUTHORIZED => None,
            Meaning::Credentials => Some(Error::InvalidCredentials),
            Meaning::Recipient => Some(Error::field("identifier", "Nothing can be sent to this number or address.")),
            Meaning::Code => Some(Error::InvalidOtp),
            Meaning::Link => Some(Error::field("token", "This link is invalid or has expired.")),
            Meaning::Password(field) => Some(Error::field(field, "This password does not meet the requirements.")),
            Meaning::RefreshToken if self.code == "E064001" => Some(Error::SessionRevoked),
            Meaning::RefreshToken => Some(Error::TokenInvalid),
            Meaning::Nothing => None,
        };
        let reason = format!("status {} {}", self.status.as_u16(), self.code);
        if let Some(error) = error {
            info!(reason, "refused by Descope");
            return error;
        }
        Error::Upstream { service: SERVICE, reason }
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::Unset(error)
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let is_connect = error.is_connect();
        if error.is_timeout() && !is_connect {
            return Self::Timeout;
        }
        // The URL may hold somebody's address.
        let source = error.without_url();
        let text = std::error::Error::source(&source).map_or_else(|| source.to_string(), ToString::to_string);
        if is_connect { Self::NotSent(text) } else { Self::Unavailable(text) }
    }
}

/// How long Descope wants to be left alone, in seconds; the edge in front of it may not say.
pub(super) fn retry_after(headers: &HeaderMap) -> u64 {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.unwrap_or(DEFAULT_RETRY_AFTER_SECONDS).clamp(1, LONGEST_RETRY_AFTER_SECONDS)
}

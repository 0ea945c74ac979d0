//! Failures of Descope as errors of ours: the one place that maps its codes. Its messages are never passed on.
//!
//! Descope documents few of its codes: the HTTP status and the call decide, and a code only where its meaning is known
//! for sure.

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use tracing::{error, info};

use crate::{
    Error, config,
    metrics::{self, Count},
};

/// Descope's name in messages to callers.
pub const SERVICE: &str = "The sign-in service";

/// For an answer without `Retry-After`.
const DEFAULT_RETRY_AFTER_SECONDS: u64 = 60;
const LONGEST_RETRY_AFTER_SECONDS: u64 = 3600;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Refused by Descope's application.
    Refused(Refusal),
    /// Our own key was refused: no caller can mend that.
    KeyRefused,
    /// Too many calls from our address, or to one recipient.
    TooMany { retry_after_seconds: u64 },
    /// No answer in time: the call may have been executed.
    Timeout,
    /// No connection: the call was not received.
    NotSent(String),
    /// Not sent: a key is not known yet.
    Unset(config::Error),
    /// No usable answer of Descope's application.
    Unavailable(String),
}

/// A refusal by Descope's application.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: String,
}

/// The meaning of a refusal for the caller, by the call that was refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// The login id or the password is wrong.
    Credentials,
    /// Nothing can be sent to this number or address.
    Recipient,
    /// The code is invalid.
    Code,
    /// The link is invalid or has expired.
    Link,
    /// The new password does not meet the policy. Holds the name of its field.
    Password(&'static str),
    /// The refresh token is invalid or revoked.
    RefreshToken,
    /// None: the caller cannot fix it.
    Nothing,
}

impl Failure {
    /// Classifies a failure by its status and body.
    pub(super) fn of(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            error_code: String,
        }
        match serde_json::from_slice::<Body>(body) {
            Ok(body) if status.is_client_error() => Self::Refused(Refusal { status, code: body.error_code }),
            // From a proxy in between, or a server error of Descope.
            _ => Self::Unavailable(format!("status {}", status.as_u16())),
        }
    }

    /// The contract's error for this failure.
    pub(super) fn means(self, meaning: Meaning) -> Error {
        match self {
            Self::Refused(refusal) => refusal.means(meaning),
            Self::KeyRefused => {
                metrics::count(Count::DescopeKeysRefused);
                error!("Descope refuses the project id or a key of this deployment");
                Error::Upstream { service: SERVICE, reason: "our key is refused".to_owned() }
            }
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

    /// 401, E064001 or E061005: the token is no longer valid, or its user is deleted.
    pub(super) fn has_ended(&self) -> bool {
        let is_told = ["E064001", "E061005"].contains(&self.code.as_str());
        self.status == StatusCode::UNAUTHORIZED || is_told || self.is_unknown_user()
    }

    /// E061004: the key of the project was refused; in a call for a user perhaps the user's token.
    pub(super) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.code == "E061004"
    }

    /// E061001: the authentication method is switched off in the project. 403: the project forbids us the call.
    fn is_misconfiguration(&self) -> bool {
        self.code == "E061001" || self.status == StatusCode::FORBIDDEN
    }

    fn means(self, meaning: Meaning) -> Error {
        let error = match meaning {
            _ if self.is_misconfiguration() => None,
            // Sending a code needs no credential, so here 401 means that Descope does not know the project.
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
        // The URL may contain a user's e-mail address.
        let source = error.without_url();
        let text = std::error::Error::source(&source).map_or_else(|| source.to_string(), ToString::to_string);
        if is_connect { Self::NotSent(text) } else { Self::Unavailable(text) }
    }
}

/// How many seconds to wait before the next call; the edge in front of Descope may omit the header.
pub(super) fn retry_after(headers: &HeaderMap) -> u64 {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.unwrap_or(DEFAULT_RETRY_AFTER_SECONDS).clamp(1, LONGEST_RETRY_AFTER_SECONDS)
}

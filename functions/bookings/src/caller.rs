//! Who is asking: the one place where credentials of a request are read.

use axum::extract::FromRequestParts;
use lambda_http::http::{HeaderName, header, request::Parts};
use shared::{
    Error, Result,
    http::{Fields, Query, Read},
};

use crate::{access_token::AccessToken, detail::Stored};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");
const BOOKING_TOKEN: HeaderName = HeaderName::from_static("x-booking-token");

/// Whoever sent the request, as far as they say. A session or a staff key that is sent must be valid; none can be yet,
/// so each is refused. Their users become variants of this type.
#[derive(Debug)]
pub(crate) enum Caller {
    /// Says nothing.
    Stranger,
    /// Holds what should be a booking's access token, from `?token=` or `X-Booking-Token`.
    TokenHolder(AccessToken),
}

impl Caller {
    /// Whether the booking is the caller's own.
    pub(crate) fn owns(&self, booking: &Stored) -> bool {
        match self {
            Self::Stranger => false,
            Self::TokenHolder(token) => !booking.access_token_is_expired && token.opens(&booking.access_token_sha256),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let headers = &parts.headers;
        if headers.contains_key(SESSION_TOKEN) || headers.get_all(header::AUTHORIZATION).iter().any(is_bearer) {
            return Err(Error::TokenInvalid);
        }
        if headers.contains_key(API_KEY) {
            return Err(Error::ApiKeyInvalid);
        }
        if let Some(token) = headers.get(BOOKING_TOKEN).filter(|token| !token.as_bytes().trim_ascii().is_empty()) {
            return Ok(Self::TokenHolder(AccessToken::sent(String::from_utf8_lossy(token.as_bytes()))));
        }
        let Query(TokenInQuery(token)) = Query::from_request_parts(parts, state).await?;
        Ok(token.map_or(Self::Stranger, |token| Self::TokenHolder(AccessToken::sent(token))))
    }
}

/// A caller who shows something; without, the answer is 401. For routes that belong to somebody.
#[derive(Debug)]
pub(crate) struct Claimant(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Claimant {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match Caller::from_request_parts(parts, state).await? {
            Caller::Stranger => Err(Error::NotAuthenticated),
            caller @ Caller::TokenHolder(_) => Ok(Self(caller)),
        }
    }
}

/// The token in the query; an empty one counts as none, as an empty header does.
struct TokenInQuery(Option<String>);

impl Read for TokenInQuery {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.text_or_empty("token", 1000).filter(|token| !token.is_empty())))
    }
}

fn is_bearer(value: &lambda_http::http::HeaderValue) -> bool {
    value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

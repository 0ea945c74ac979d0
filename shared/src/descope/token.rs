//! Descope's tokens, verified locally.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header, errors::ErrorKind};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Error, Result};

/// Accepted difference between clocks.
const LEEWAY_SECONDS: u64 = 10;

/// The purpose of a token, which only its `drn` claim tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// Sent with every request.
    #[serde(rename = "DS")]
    Session,
    /// Exchanged for new session tokens.
    #[serde(rename = "DSR")]
    Refresh,
    #[serde(other)]
    Other,
}

/// The claims of a token.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    sub: String,
    /// The user's id, in a project that puts something else into `sub`.
    #[serde(default)]
    dsub: Option<String>,
    iss: String,
    #[serde(rename = "drn")]
    kind: Kind,
    #[serde(rename = "iat", default, deserialize_with = "moment")]
    issued_at: Option<DateTime<Utc>>,
    #[serde(rename = "exp", deserialize_with = "moment")]
    expires_at: Option<DateTime<Utc>>,
    /// When the refresh token of the session expires.
    #[serde(rename = "rexp", default, deserialize_with = "moment")]
    session_ends_at: Option<DateTime<Utc>>,
    #[serde(default)]
    roles: Option<Vec<String>>,
}

impl Claims {
    /// The claims of a token that was received from Descope itself; its signature is not verified.
    pub fn trusted(token: &str) -> Result<Self> {
        let claims = dangerous::insecure_decode_claims(token);
        claims
            .map_err(|_| Error::Upstream { service: super::SERVICE, reason: "a token that cannot be read".to_owned() })
    }

    /// The claims of a token from a caller, verified for `kind`. Only RS256 is accepted, regardless of the algorithm
    /// that the token names.
    pub(super) fn verified(token: &str, key: &DecodingKey, project_id: &str, kind: Kind) -> Result<Self> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let claims = decode::<Self>(token, key, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => Error::TokenExpired,
            _ => Error::TokenInvalid,
        })?;
        let claims = claims.claims;
        if claims.kind == kind && is_issuer(&claims.iss, project_id) { Ok(claims) } else { Err(Error::TokenInvalid) }
    }

    /// Descope's id of the user.
    pub fn user_id(&self) -> &str {
        self.dsub.as_deref().unwrap_or(&self.sub)
    }

    /// When the token was issued; 1970 if it does not say.
    pub fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at.unwrap_or_default()
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at.unwrap_or_default()
    }

    /// When the token's session ends, however often it is refreshed.
    pub fn session_ends_at(&self) -> DateTime<Utc> {
        self.session_ends_at.unwrap_or_else(|| self.expires_at())
    }

    pub fn roles(&self) -> &[String] {
        self.roles.as_deref().unwrap_or_default()
    }
}

/// The id of the key that a token names in its header; not verified.
pub(super) fn key_id(token: &str) -> Result<String> {
    decode_header(token).ok().and_then(|header| header.kid).ok_or(Error::TokenInvalid)
}

/// Descope's issuer is the bare project id or a URL that ends in it.
fn is_issuer(issuer: &str, project_id: &str) -> bool {
    let is_url = issuer.starts_with("https://") || issuer.starts_with("http://");
    issuer == project_id || (is_url && issuer.trim_end_matches('/').rsplit('/').next() == Some(project_id))
}

/// Parses seconds since 1970 or RFC 3339; anything else is ignored.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    #[expect(clippy::cast_possible_truncation, reason = "a moment beyond i64 is none")]
    let seconds = |value: f64| value as i64;
    Ok(match value {
        Some(Value::Number(number)) => number.as_f64().and_then(|value| DateTime::from_timestamp(seconds(value), 0)),
        Some(Value::String(text)) => DateTime::parse_from_rfc3339(&text).ok().map(|moment| moment.to_utc()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::is_issuer;

    #[test]
    fn the_issuer_is_the_project_id_or_a_url_that_ends_in_it() {
        for issuer in ["P2x", "https://api.descope.com/P2x", "https://api.descope.com/v1/apps/P2x/", "http://l:1/P2x"] {
            assert!(is_issuer(issuer, "P2x"), "{issuer}");
        }
        for issuer in ["", "P2y", "xP2x", "evil/P2x", "https://api.descope.com/P2x/more", "https://evil.com?P2x"] {
            assert!(!is_issuer(issuer, "P2x"), "{issuer}");
        }
    }
}

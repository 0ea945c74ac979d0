//! Tokens of Descope: verified here, without a call.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header, errors::ErrorKind};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Error, Result};

/// How far clocks may differ, in seconds.
const LEEWAY_SECONDS: u64 = 10;

/// What a token is for; its `drn` claim tells, and nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// Shown with every request.
    #[serde(rename = "DS")]
    Session,
    /// Exchanged for new session tokens.
    #[serde(rename = "DSR")]
    Refresh,
    /// Neither.
    #[serde(other)]
    Other,
}

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    sub: String,
    /// The user where a project put something else into `sub`.
    #[serde(default)]
    dsub: Option<String>,
    iss: String,
    #[serde(rename = "drn")]
    kind: Kind,
    #[serde(rename = "iat", default, deserialize_with = "moment")]
    issued_at: Option<DateTime<Utc>>,
    #[serde(rename = "exp", deserialize_with = "moment")]
    expires_at: Option<DateTime<Utc>>,
    /// When the refresh token of the session ends.
    #[serde(rename = "rexp", default, deserialize_with = "moment")]
    session_ends_at: Option<DateTime<Utc>>,
    #[serde(default)]
    roles: Option<Vec<String>>,
}

impl Claims {
    /// The claims of a token that came from Descope itself.
    pub fn trusted(token: &str) -> Result<Self> {
        let claims = dangerous::insecure_decode_claims(token);
        claims
            .map_err(|_| Error::Upstream { service: super::SERVICE, reason: "a token that cannot be read".to_owned() })
    }

    /// The claims of a token that anybody may have made, once they are found good for `kind`. Only RS256 counts,
    /// whatever the token says of itself.
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

    /// When the token was issued; long ago if it does not say.
    pub fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at.unwrap_or_default()
    }

    /// When the token ends.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at.unwrap_or_default()
    }

    /// When the session ends that the token belongs to, however often it is refreshed.
    pub fn session_ends_at(&self) -> DateTime<Utc> {
        self.session_ends_at.unwrap_or_else(|| self.expires_at())
    }

    /// The user's roles in the project.
    pub fn roles(&self) -> &[String] {
        self.roles.as_deref().unwrap_or_default()
    }
}

/// The id of the key that a token says it is signed with.
pub(super) fn key_id(token: &str) -> Result<String> {
    decode_header(token).ok().and_then(|header| header.kid).ok_or(Error::TokenInvalid)
}

/// Descope puts the bare project id there, or a URL that ends in it.
fn is_issuer(issuer: &str, project_id: &str) -> bool {
    let is_url = issuer.starts_with("https://") || issuer.starts_with("http://");
    issuer == project_id || (is_url && issuer.trim_end_matches('/').rsplit('/').next() == Some(project_id))
}

/// Seconds since 1970, or RFC 3339; what is neither is passed over.
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
    fn the_issuer_is_the_project_bare_or_at_the_end_of_a_url() {
        for issuer in ["P2x", "https://api.descope.com/P2x", "https://api.descope.com/v1/apps/P2x/", "http://l:1/P2x"] {
            assert!(is_issuer(issuer, "P2x"), "{issuer}");
        }
        for issuer in ["", "P2y", "xP2x", "evil/P2x", "https://api.descope.com/P2x/more", "https://evil.com?P2x"] {
            assert!(!is_issuer(issuer, "P2x"), "{issuer}");
        }
    }
}

//! Project settings, which Descope keeps in its console.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the project. They can change at run time: over HTTP with `POST /_settings` and the members to change,
/// where a lifetime is in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Form of the claim `iss`.
    pub issuer: Issuer,
    /// Whether a refresh ends the old refresh token and issues a new one.
    pub rotates_refresh_tokens: bool,
    /// 10 minutes, Descope's default.
    #[serde(with = "seconds")]
    pub session_lifetime: Duration,
    /// 4 weeks, Descope's default.
    #[serde(with = "seconds")]
    pub refresh_lifetime: Duration,
    /// 3 minutes. Descope recommends 3 to 5; its default is not known.
    #[serde(with = "seconds")]
    pub code_lifetime: Duration,
    /// Wrong attempts that a one-time code allows: 3. Descope's default is not known.
    pub code_attempts: u32,
    /// 10 minutes. Descope's default is not known.
    #[serde(with = "seconds")]
    pub link_lifetime: Duration,
    /// Form of the key set at `/v2/keys`; at `/v1/keys` it is always an array.
    pub jwks_form: JwksForm,
    /// Whether a password sign-in with an unknown login id gets the same error as a wrong password.
    pub mask_errors: bool,
    /// Whether two tokens issued in the same second differ. Whether Descope's do is not known.
    pub makes_tokens_unique: bool,
    /// Roles that can be assigned to users, besides those created over the API.
    pub roles: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: Issuer::ProjectId,
            rotates_refresh_tokens: false,
            session_lifetime: Duration::from_mins(10),
            refresh_lifetime: Duration::from_hours(4 * 7 * 24),
            code_lifetime: Duration::from_mins(3),
            code_attempts: 3,
            link_lifetime: Duration::from_mins(10),
            jwks_form: JwksForm::Object,
            mask_errors: false,
            makes_tokens_unique: true,
            roles: vec!["admin".to_owned(), "staff".to_owned()],
        }
    }
}

/// The two forms of the claim `iss`. A client must accept both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Issuer {
    ProjectId,
    /// A URL that ends in the project id.
    Url,
}

/// The two forms of a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JwksForm {
    /// `{"keys": […]}`.
    Object,
    /// `[…]`.
    Array,
}

/// Serializes a lifetime as whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(duration.as_secs())
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

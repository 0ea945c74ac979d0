//! What the console of a project would set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings of the project. They can change while the stand-in runs; over HTTP by `POST /_settings` with the members to
/// change, where a lifetime is a number of seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How tokens name who issued them.
    pub issuer: Issuer,
    /// Whether a refresh ends the old refresh token and issues a new one.
    pub rotates_refresh_tokens: bool,
    /// How long a session token is valid: 10 minutes, Descope's default.
    #[serde(with = "seconds")]
    pub session_lifetime: Duration,
    /// How long a refresh token is valid: 4 weeks, Descope's default.
    #[serde(with = "seconds")]
    pub refresh_lifetime: Duration,
    /// How long a one-time code is valid: 3 minutes. Descope recommends 3 to 5, its default is not known.
    #[serde(with = "seconds")]
    pub code_lifetime: Duration,
    /// How many wrong tries a one-time code survives: 3. Descope's default is not known.
    pub code_attempts: u32,
    /// How long a link in a mail is valid: 10 minutes. Descope's default is not known.
    #[serde(with = "seconds")]
    pub link_lifetime: Duration,
    /// How `/v2/keys` shows the keys; `/v1/keys` is always an array.
    pub jwks_form: JwksForm,
    /// Whether signing in as nobody looks like a wrong password.
    pub mask_errors: bool,
    /// Whether two tokens of one second differ. Descope's may or may not.
    pub makes_tokens_unique: bool,
    /// The roles that can be given to users, besides those that a call created.
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
    /// The project id.
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

/// A lifetime as a number of seconds.
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

//! What Descope says of a user, as far as it is used here.

use serde::{Deserialize, Deserializer};

/// A user of the project. Descope writes empty values rather than leaving them out; both are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// `U…`, the `sub` of the user's tokens.
    pub user_id: String,
    /// What the user can sign in with.
    #[serde(default, deserialize_with = "or_default")]
    pub login_ids: Vec<String>,
    /// May be empty, as all texts here.
    #[serde(default, deserialize_with = "or_default")]
    pub email: String,
    /// Whether the user has proved the e-mail address to Descope.
    #[serde(default, deserialize_with = "or_default")]
    pub verified_email: bool,
    /// In E.164.
    #[serde(default, deserialize_with = "or_default")]
    pub phone: String,
    /// Whether the user has proved the number to Descope.
    #[serde(default, deserialize_with = "or_default")]
    pub verified_phone: bool,
    /// First name.
    #[serde(default, deserialize_with = "or_default")]
    pub given_name: String,
    /// Last name.
    #[serde(default, deserialize_with = "or_default")]
    pub family_name: String,
    /// The URL of a picture.
    #[serde(default, deserialize_with = "or_default")]
    pub picture: String,
    /// Whether the user has a password.
    #[serde(default, deserialize_with = "or_default")]
    pub password: bool,
    /// Roles in the project.
    #[serde(default, deserialize_with = "or_default")]
    pub role_names: Vec<String>,
    /// When Descope made the user, in seconds since 1970.
    #[serde(default, deserialize_with = "or_default")]
    pub created_time: i64,
}

/// The answer to whoever has signed in.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// The session token: short-lived, shown with every request.
    #[serde(default, deserialize_with = "or_default")]
    pub session_jwt: String,
    /// The refresh token; empty after a refresh that did not change it.
    #[serde(default, deserialize_with = "or_default")]
    pub refresh_jwt: String,
    /// Who it is.
    #[serde(default)]
    pub user: Option<User>,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SignedIn")
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

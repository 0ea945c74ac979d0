//! What Descope says of a user, as far as it is used here.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::Channel;
use crate::phone::Phone;

/// A user of the project. Descope writes empty values rather than leaving them out; both are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "so Descope has it")]
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
    /// Whether the user has an authenticator app, spelt so by Descope.
    #[serde(default, rename = "TOTP", deserialize_with = "or_default")]
    pub totp: bool,
    /// Whether the user has a passkey.
    #[serde(default, deserialize_with = "or_default")]
    pub webauthn: bool,
    /// Accounts elsewhere that the user signs in with, by provider.
    #[serde(default, rename = "OAuth", deserialize_with = "or_default")]
    pub oauth: BTreeMap<String, bool>,
    /// Roles in the project.
    #[serde(default, deserialize_with = "or_default")]
    pub role_names: Vec<String>,
}

impl User {
    /// Whether what is sent to this login id reaches nobody else. Descope sends to the user's number or address, and to
    /// the login id only if there is none; whoever makes a user chooses both.
    pub fn is_reached_at(&self, channel: Channel, login_id: &str) -> bool {
        let (own, other) = self.addresses(channel);
        if own.is_empty() {
            return other.is_empty() && self.has_one_way_in(login_id);
        }
        match channel {
            Channel::Sms => own.parse::<Phone>().is_ok_and(|phone| phone.as_str() == login_id),
            Channel::Email => own.eq_ignore_ascii_case(login_id),
        }
    }

    /// Whether a code sent to this login id is the only way in.
    pub fn is_plain(&self, channel: Channel, login_id: &str) -> bool {
        let (_, other) = self.addresses(channel);
        self.is_reached_at(channel, login_id) && other.is_empty() && self.has_one_way_in(login_id)
    }

    fn has_one_way_in(&self, login_id: &str) -> bool {
        let has_another = self.password || self.totp || self.webauthn || self.oauth.values().any(|is_used| *is_used);
        self.login_ids == [login_id] && !has_another
    }

    /// What a channel sends to, and what the other one sends to.
    fn addresses(&self, channel: Channel) -> (&str, &str) {
        match channel {
            Channel::Sms => (&self.phone, &self.email),
            Channel::Email => (&self.email, &self.phone),
        }
    }

    /// The number or address that is the only way in and that the user has proved to Descope.
    pub fn proved(&self) -> Option<(Channel, &str)> {
        let [login_id] = self.login_ids.as_slice() else { return None };
        let channel = if login_id.starts_with('+') { Channel::Sms } else { Channel::Email };
        let is_verified = match channel {
            Channel::Sms => self.verified_phone && self.phone == *login_id,
            Channel::Email => self.verified_email && self.email.eq_ignore_ascii_case(login_id),
        };
        (is_verified && self.is_plain(channel, login_id)).then_some((channel, login_id.as_str()))
    }
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
    /// Whether the user has never signed in before: then nobody holds a refresh token of theirs.
    #[serde(default, deserialize_with = "or_default")]
    pub first_seen: bool,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SignedIn")
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Channel, User};

    fn user(fields: &serde_json::Value) -> User {
        let mut user =
            json!({ "userId": "U1", "loginIds": ["+91911911911"], "phone": "+91911911911", "email": "", "OAuth": {} });
        for (name, value) in fields.as_object().unwrap() {
            user[name] = value.clone();
        }
        serde_json::from_value(user).unwrap()
    }

    #[test]
    fn a_login_id_says_nothing_of_who_gets_the_code() {
        assert!(user(&json!({})).is_reached_at(Channel::Sms, "+91911911911"));
        assert!(user(&json!({ "phone": "" })).is_reached_at(Channel::Sms, "+91911911911"));
        assert!(!user(&json!({ "phone": "+92922922922" })).is_reached_at(Channel::Sms, "+91911911911"));
        assert!(!user(&json!({ "phone": "", "email": "m@x.example" })).is_reached_at(Channel::Sms, "+91911911911"));
        assert!(!user(&json!({ "phone": "", "password": true })).is_reached_at(Channel::Sms, "+91911911911"));
        assert!(!user(&json!({ "email": "m@x.example" })).is_reached_at(Channel::Email, "v@x.example"));
        assert!(user(&json!({ "email": "V@x.example" })).is_reached_at(Channel::Email, "v@x.example"));
    }

    #[test]
    fn any_other_way_in_makes_a_user_less_than_plain() {
        assert!(user(&json!({})).is_plain(Channel::Sms, "+91911911911"));
        for more in [
            json!({ "password": true }),
            json!({ "TOTP": true }),
            json!({ "webauthn": true }),
            json!({ "OAuth": { "google": true } }),
            json!({ "email": "m@x.example" }),
            json!({ "phone": "+92922922922" }),
            json!({ "loginIds": ["+91911911911", "m@x.example"] }),
            json!({ "loginIds": [] }),
        ] {
            assert!(!user(&more).is_plain(Channel::Sms, "+91911911911"), "{more}");
        }
        assert!(user(&json!({ "OAuth": { "google": false } })).is_plain(Channel::Sms, "+91911911911"));
        assert_eq!(user(&json!({})).proved(), None);
        assert_eq!(user(&json!({ "verifiedPhone": true })).proved(), Some((Channel::Sms, "+91911911911")));
    }
}

//! Descope's users: the fields that are used here.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::Channel;
use crate::phone::Phone;

/// A user of the project. Descope sends empty values instead of omitting them; both are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "so Descope has it")]
pub struct User {
    /// `U…`, the `sub` of the user's tokens.
    pub user_id: String,
    /// The identifiers that the user can sign in with.
    #[serde(default, deserialize_with = "or_default")]
    pub login_ids: Vec<String>,
    /// Empty if there is none, as all texts here.
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
    #[serde(default, deserialize_with = "or_default")]
    pub given_name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub family_name: String,
    /// The URL of a picture.
    #[serde(default, deserialize_with = "or_default")]
    pub picture: String,
    /// Whether the user has a password.
    #[serde(default, deserialize_with = "or_default")]
    pub password: bool,
    /// Whether the user has an authenticator app.
    #[serde(default, rename = "TOTP", deserialize_with = "or_default")]
    pub totp: bool,
    /// Whether the user has a passkey.
    #[serde(default, deserialize_with = "or_default")]
    pub webauthn: bool,
    /// Third-party accounts that the user signs in with, by provider.
    #[serde(default, rename = "OAuth", deserialize_with = "or_default")]
    pub oauth: BTreeMap<String, bool>,
    #[serde(default, deserialize_with = "or_default")]
    pub role_names: Vec<String>,
}

impl User {
    /// Whether a message to this login id reaches only the login id's owner. Descope sends to the user's number or
    /// address, and to the login id only if there is none; the creator of a user chooses both.
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

    /// Whether nothing but this login id opens the user: by a code, a link or a password.
    pub fn opens_only_by(&self, channel: Channel, login_id: &str) -> bool {
        let (own, other) = self.addresses(channel);
        self.login_ids == [login_id]
            && (own.is_empty() || own.eq_ignore_ascii_case(login_id))
            && other.is_empty()
            && !self.has_further_means()
    }

    fn has_one_way_in(&self, login_id: &str) -> bool {
        self.login_ids == [login_id] && !self.password && !self.has_further_means()
    }

    fn has_further_means(&self) -> bool {
        self.totp || self.webauthn || self.oauth.values().any(|is_used| *is_used)
    }

    /// The recipient of a channel, and that of the other one.
    fn addresses(&self, channel: Channel) -> (&str, &str) {
        match channel {
            Channel::Sms => (&self.phone, &self.email),
            Channel::Email => (&self.email, &self.phone),
        }
    }

    /// The number or address that is the user's only way in and that the user has proved to Descope.
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

/// The answer to a sign-in or a refresh.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// The session token: short-lived, sent with every request.
    #[serde(default, deserialize_with = "or_default")]
    pub session_jwt: String,
    /// The refresh token; empty after a refresh that did not rotate it.
    #[serde(default, deserialize_with = "or_default")]
    pub refresh_jwt: String,
    #[serde(default)]
    pub user: Option<User>,
    /// Whether this is the user's first sign-in: then no older refresh token exists.
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
        let mut user = json!({ "userId": "U1", "loginIds": ["+919119119119"], "phone": "+919119119119", "email": "", "OAuth": {} });
        for (name, value) in fields.as_object().unwrap() {
            user[name] = value.clone();
        }
        serde_json::from_value(user).unwrap()
    }

    #[test]
    fn a_code_may_go_to_another_recipient_than_the_login_id() {
        assert!(user(&json!({})).is_reached_at(Channel::Sms, "+919119119119"));
        assert!(user(&json!({ "phone": "" })).is_reached_at(Channel::Sms, "+919119119119"));
        assert!(!user(&json!({ "phone": "+92922922922" })).is_reached_at(Channel::Sms, "+919119119119"));
        assert!(!user(&json!({ "phone": "", "email": "m@x.example" })).is_reached_at(Channel::Sms, "+919119119119"));
        assert!(!user(&json!({ "phone": "", "password": true })).is_reached_at(Channel::Sms, "+919119119119"));
        assert!(!user(&json!({ "email": "m@x.example" })).is_reached_at(Channel::Email, "v@x.example"));
        assert!(user(&json!({ "email": "V@x.example" })).is_reached_at(Channel::Email, "v@x.example"));
    }

    #[test]
    fn a_user_with_another_way_in_is_not_plain() {
        assert!(user(&json!({})).is_plain(Channel::Sms, "+919119119119"));
        for more in [
            json!({ "password": true }),
            json!({ "TOTP": true }),
            json!({ "webauthn": true }),
            json!({ "OAuth": { "google": true } }),
            json!({ "email": "m@x.example" }),
            json!({ "phone": "+92922922922" }),
            json!({ "loginIds": ["+919119119119", "m@x.example"] }),
            json!({ "loginIds": [] }),
        ] {
            assert!(!user(&more).is_plain(Channel::Sms, "+919119119119"), "{more}");
        }
        assert!(user(&json!({ "OAuth": { "google": false } })).is_plain(Channel::Sms, "+919119119119"));
        assert_eq!(user(&json!({})).proved(), None);
        assert_eq!(user(&json!({ "verifiedPhone": true })).proved(), Some((Channel::Sms, "+919119119119")));
    }
}

//! The users of the project.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    answer::{Reason, Result},
    password::Password,
    random,
};

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Enabled,
    Disabled,
    /// Has not signed in yet.
    Invited,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) user_id: String,
    pub(crate) login_ids: Vec<String>,
    pub(crate) status: Status,
    pub(crate) created: DateTime<Utc>,
    pub(crate) names: Names,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) picture: String,
    pub(crate) verified_email: bool,
    pub(crate) verified_phone: bool,
    pub(crate) roles: Vec<String>,
    pub(crate) custom_attributes: Map<String, Value>,
    /// Test user: receives no messages.
    pub(crate) test: bool,
    pub(crate) password: Option<Password>,
    /// Times of the sign-ins, in epoch seconds.
    pub(crate) logins: Vec<i64>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Names {
    pub(crate) name: String,
    pub(crate) given: String,
    pub(crate) middle: String,
    pub(crate) family: String,
}

impl Names {
    /// Reads the names from a JSON object of the API.
    pub(crate) fn from_json(object: &Value) -> Self {
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            name: text("displayName").or_else(|| text("name")).unwrap_or_default(),
            given: text("givenName").unwrap_or_default(),
            middle: text("middleName").unwrap_or_default(),
            family: text("familyName").unwrap_or_default(),
        }
    }
}

impl User {
    /// An invited user with only a login id.
    pub(crate) fn new(login_id: &str, now: DateTime<Utc>) -> Self {
        Self {
            user_id: random::id("U"),
            login_ids: vec![login_id.to_owned()],
            status: Status::Invited,
            created: now,
            names: Names::default(),
            email: String::new(),
            phone: String::new(),
            picture: String::new(),
            verified_email: false,
            verified_phone: false,
            roles: Vec::new(),
            custom_attributes: Map::new(),
            test: false,
            password: None,
            logins: Vec::new(),
        }
    }

    /// Whether the id is one of its login ids, or its user id.
    pub(crate) fn is(&self, id: &str) -> bool {
        self.user_id == id || self.login_ids.iter().any(|login_id| login_id == id)
    }

    /// Adds a login id unless the user has it already.
    pub(crate) fn add_login_id(&mut self, login_id: &str) {
        if !self.login_ids.iter().any(|own| own == login_id) {
            self.login_ids.push(login_id.to_owned());
        }
    }

    pub(crate) fn expect_not_disabled(&self) -> Result<()> {
        if self.status == Status::Disabled {
            return Err(Reason::UserDisabled.because("User is disabled"));
        }
        Ok(())
    }

    /// The user object of the API, including members with default values: the decoders of some SDKs require them.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "loginIds": self.login_ids,
            "userId": self.user_id,
            "name": self.names.name,
            "givenName": self.names.given,
            "middleName": self.names.middle,
            "familyName": self.names.family,
            "email": self.email,
            "phone": self.phone,
            "verifiedEmail": self.verified_email,
            "verifiedPhone": self.verified_phone,
            "roleNames": self.roles,
            "userTenants": [],
            "status": self.status,
            "externalIds": self.login_ids,
            "picture": self.picture,
            "test": self.test,
            "customAttributes": self.custom_attributes,
            "createdTime": self.created.timestamp(),
            "TOTP": false,
            "SAML": false,
            "OAuth": {},
            "webauthn": false,
            "password": self.password.is_some(),
            "ssoAppIds": [],
            "editable": true,
            "SCIM": false,
            "push": false,
            "permissions": [],
            "OIDC": false,
            "consentExpiration": 0,
        })
    }

    /// The sign-ins as the API shows them, newest first.
    pub(crate) fn history(&self) -> Vec<Value> {
        let login = |time: &i64| {
            json!({
                "userId": self.user_id,
                "loginTime": time,
                "city": "",
                "country": "",
                "ip": "127.0.0.1",
                "selectedTenant": "",
            })
        };
        self.logins.iter().rev().map(login).collect()
    }
}

/// All users, by user id.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Users(BTreeMap<String, User>);

impl Users {
    pub(crate) fn all(&self) -> impl Iterator<Item = &User> {
        self.0.values()
    }

    pub(crate) fn get(&self, user_id: &str) -> Option<&User> {
        self.0.get(user_id)
    }

    pub(crate) fn get_mut(&mut self, user_id: &str) -> Option<&mut User> {
        self.0.get_mut(user_id)
    }

    /// Compares login ids case-sensitively. Whether Descope does is not known.
    pub(crate) fn by_login_id(&self, login_id: &str) -> Option<&User> {
        self.0.values().find(|user| user.login_ids.iter().any(|own| own == login_id))
    }

    pub(crate) fn by_login_id_mut(&mut self, login_id: &str) -> Option<&mut User> {
        self.0.values_mut().find(|user| user.login_ids.iter().any(|own| own == login_id))
    }

    /// The user with this login id, or the error of the authentication API.
    pub(crate) fn expect(&self, login_id: &str) -> Result<&User> {
        self.by_login_id(login_id).ok_or_else(|| Reason::UserNotFound.because("User not found"))
    }

    /// The user id of the user with this login id or user id.
    pub(crate) fn id_of(&self, id: &str) -> Option<String> {
        self.0.values().find(|user| user.is(id)).map(|user| user.user_id.clone())
    }

    pub(crate) fn add(&mut self, user: User) {
        self.0.insert(user.user_id.clone(), user);
    }

    pub(crate) fn remove(&mut self, user_id: &str) {
        self.0.remove(user_id);
    }
}

/// A rough check for an e-mail address.
pub(crate) fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

/// Whether this is a phone number in Descope's form: `+`, then 4 to 15 digits, the first not 0.
pub(crate) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (4..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

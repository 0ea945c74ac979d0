//! A snapshot of the settings: the environment and, where a variable is not set, the secrets.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::{Error, SECRET_ID, Variable};

/// Variables of the environment by name.
pub(super) type Environment = BTreeMap<String, String>;

/// A secret: texts by key.
pub(super) type Secret = BTreeMap<String, SecretString>;

/// A snapshot of every setting.
#[derive(Clone, Debug, Default)]
pub struct Values {
    pub(super) environment: Arc<Environment>,
    /// Keyed by the variable that names the secret, such as `SECRET_ID`.
    pub(super) secrets: BTreeMap<&'static str, Arc<Secret>>,
}

impl Values {
    /// The value of a variable in the environment, else in the function's own secret.
    pub fn optional(&self, variable: Variable) -> Option<String> {
        let own = || self.of(SECRET_ID, variable.name());
        self.environment(variable).map(ToOwned::to_owned).or_else(own)
    }

    /// As [`Self::optional`], for a value whose absence means something: an error while the function's own secret, which
    /// may supply it, has not been read.
    pub fn optional_once_read(&self, variable: Variable) -> Result<Option<String>, Error> {
        let is_unread = self.environment(SECRET_ID).is_some() && !self.secrets.contains_key(SECRET_ID.name());
        match self.optional(variable) {
            None if is_unread => Err(Error::Missing(variable.name())),
            value => Ok(value),
        }
    }

    /// As [`Self::optional`], for a value that must be set.
    pub fn required(&self, variable: Variable) -> Result<String, Error> {
        self.optional(variable).ok_or(Error::Missing(variable.name()))
    }

    /// As [`Self::optional`], parsed, for a value that has a default.
    pub fn or_default<T: FromStr>(&self, variable: Variable, default: T) -> Result<T, Error> {
        self.optional(variable).map_or(Ok(default), |value| value.trim().parse().map_err(|_| variable.invalid()))
    }

    /// The URL of a server. A user or password that it lacks is taken from the keys `username` and `password` of the
    /// secret that `login` names; without that secret the URL stays as it is.
    pub fn url<T: FromStr>(&self, variable: Variable, login: Variable) -> Result<T, Error> {
        let text = self.environment(variable).ok_or(Error::Missing(variable.name()))?.trim();
        let complete = || -> Option<String> {
            let mut url = Url::parse(text).ok()?;
            if let Some(username) = self.of(login, "username").filter(|_| url.username().is_empty()) {
                url.set_username(&encoded(&username)).ok()?;
            }
            if let Some(password) = self.of(login, "password").filter(|_| url.password().is_none()) {
                url.set_password(Some(&encoded(&password))).ok()?;
            }
            Some(url.into())
        };
        let is_as_it_is = !self.secrets.contains_key(login.name());
        let url = if is_as_it_is { text.to_owned() } else { complete().ok_or(variable.invalid())? };
        url.parse().map_err(|_| variable.invalid())
    }

    fn environment(&self, variable: Variable) -> Option<&str> {
        let value = self.environment.get(variable.name())?;
        Some(value.as_str()).filter(|value| !value.trim().is_empty())
    }

    fn of(&self, secret: Variable, key: &str) -> Option<String> {
        let value = self.secrets.get(secret.name())?.get(key)?.expose_secret();
        Some(value.to_owned()).filter(|value| !value.trim().is_empty())
    }
}

/// Percent-encoded, for a part of a URL.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// [`SecretString`] implements no `PartialEq`.
pub(super) fn are_equal(one: &Secret, other: &Secret) -> bool {
    let exposed = |secret: &Secret| -> Vec<(String, String)> {
        secret.iter().map(|(key, value)| (key.clone(), value.expose_secret().to_owned())).collect()
    };
    exposed(one) == exposed(other)
}

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
    /// The value of a variable in the environment, else in the function's own secret. An error while that secret has not
    /// been read: it may have a value, so the answer is "not now" instead of "there is none".
    pub fn optional(&self, variable: Variable) -> Result<Option<String>, Error> {
        if let Some(value) = self.environment(variable) {
            return Ok(Some(value.to_owned()));
        }
        self.read(SECRET_ID, variable)?;
        Ok(self.of(SECRET_ID, variable.name()))
    }

    /// As [`Self::optional`], for a value that must be set.
    pub fn required(&self, variable: Variable) -> Result<String, Error> {
        self.optional(variable)?.ok_or(Error::Missing(variable.name()))
    }

    /// As [`Self::optional`], parsed, for a value that has a default.
    pub fn or_default<T: FromStr>(&self, variable: Variable, default: T) -> Result<T, Error> {
        self.optional(variable)?.map_or(Ok(default), |value| value.trim().parse().map_err(|_| variable.invalid()))
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

    /// The text under a key of the secret that `secret` names, if it names one. An error while that has not been read.
    pub fn secret(&self, secret: Variable, key: &str) -> Result<Option<SecretString>, Error> {
        self.read(secret, secret)?;
        Ok(self.of(secret, key).map(SecretString::from))
    }

    /// An error for `variable` if the environment names this secret and it has not been read.
    fn read(&self, secret: Variable, variable: Variable) -> Result<(), Error> {
        let is_unread = self.environment(secret).is_some() && !self.secrets.contains_key(secret.name());
        if is_unread { Err(Error::Missing(variable.name())) } else { Ok(()) }
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

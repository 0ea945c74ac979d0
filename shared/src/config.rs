//! Settings from the environment, read once when a function starts.

use std::str::FromStr;

/// A setting that is missing or cannot be read; it stops the function at its start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The variable must be set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The variable is set to something else than what it stands for. The value is not shown: it may be a secret.
    #[error("{0} has a value that cannot be used")]
    Invalid(&'static str),
}

/// The value of a variable without which the function cannot work.
pub fn required(name: &'static str) -> Result<String, Error> {
    optional(name).ok_or(Error::Missing(name))
}

/// The value of a variable, if it is set to anything but white space.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The value of a variable that has a default.
pub fn or_default<T: FromStr>(name: &'static str, default: T) -> Result<T, Error> {
    optional(name).map_or(Ok(default), |value| value.trim().parse().map_err(|_| Error::Invalid(name)))
}

/// The items of a comma-separated list; none if the variable is not set.
pub fn list(name: &'static str) -> Vec<String> {
    optional(name)
        .map(|value| value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect())
        .unwrap_or_default()
}

/// Whether this process runs on AWS rather than under the local emulator, which does not say how it was initialised.
pub fn is_deployed() -> bool {
    optional("AWS_LAMBDA_INITIALIZATION_TYPE").is_some()
}

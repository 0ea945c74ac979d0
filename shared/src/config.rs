//! Settings: variables of the environment. What is secret may stand in AWS Secrets Manager instead; see [`Settings`].

mod live;
mod secrets;
mod settings;
mod values;

use std::str::FromStr;

pub use live::Live;
pub use secrets::http_client;
pub use settings::{Pace, Settings};
pub use values::Values;

/// A setting that is missing or cannot be read. It stops the function at its start, unless a secret may still bring it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The variable must be set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The variable is set to something else than what it stands for. The value is not shown: it may be a secret.
    #[error("{0} has a value that cannot be used")]
    Invalid(&'static str),
}

/// A variable of the environment. All there are stand in [`ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable(&'static str);

impl Variable {
    /// The error of a value that cannot be used.
    pub const fn invalid(self) -> Error {
        Error::Invalid(self.0)
    }

    /// Its name in the environment.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

macro_rules! variables {
    ($($(#[$documentation:meta])* $name:ident;)*) => {
        $($(#[$documentation])* pub const $name: Variable = Variable(stringify!($name));)*

        /// Every variable that anything here reads.
        pub const ALL: &[Variable] = &[$($name),*];
    };
}

variables! {
    /// The function's own secret in AWS Secrets Manager, by name or ARN: a JSON object whose keys are names of variables.
    SECRET_ID;
    /// The secret with Postgres's `username` and `password`, as RDS manages it.
    DATABASE_SECRET_ID;
    /// The secret with Redis's `password` and, if it has users, `username`.
    REDIS_SECRET_ID;
    /// Where Secrets Manager is, if not at AWS.
    AWS_ENDPOINT_URL;
    /// Where Postgres is: a `postgres://` URL.
    DATABASE_URL;
    /// Where Redis is: a `redis://` or `rediss://` URL.
    REDIS_URL;
    /// What every Redis key starts with; nothing by default.
    REDIS_KEY_PREFIX;
    /// Origins whose pages may call with credentials, separated by commas.
    CORS_ALLOWED_ORIGINS;
    /// The project at Descope, `P…`.
    DESCOPE_PROJECT_ID;
    /// The key with which users are managed at Descope.
    DESCOPE_MANAGEMENT_KEY;
    /// The key of a project at Descope in which only its backend may call the ways to sign in.
    DESCOPE_AUTH_MANAGEMENT_KEY;
    /// Where Descope's API is, if not where the project id says.
    DESCOPE_BASE_URL;
    /// Keys that seal refresh tokens, `id:base64 of 32 bytes`, separated by commas. The first one seals, all open.
    REFRESH_TOKEN_KEYS;
    /// The page of the frontend to which a mail about a password leads; Descope adds `?t=<token>`.
    PASSWORD_RESET_URL;
    /// For how many seconds a one-time code can be used, as set in the Descope project.
    OTP_LIFETIME_SECONDS;
    /// Keys of the staff, `label:key`, separated by commas.
    STAFF_API_KEYS;
    /// `true` if bookings may be paid online.
    RAZORPAY_ENABLED;
    /// The key of the Razorpay account: its public half, `rzp_live_…` or `rzp_test_…`.
    RAZORPAY_KEY_ID;
    /// Its secret half.
    RAZORPAY_KEY_SECRET;
    /// Where Razorpay's API is, if not at `https://api.razorpay.com`.
    RAZORPAY_BASE_URL;
    /// What webhooks are signed with, as set in Razorpay's dashboard.
    RAZORPAY_WEBHOOK_SECRET;
    /// What they were signed with before; Razorpay repeats older events with it for a day.
    RAZORPAY_WEBHOOK_SECRET_PREVIOUS;
    /// Orders that one IP address may ask for in a minute.
    THROTTLE_ORDERS_PER_IP;
    /// `off` switches the rate limits off; a deployed function ignores it.
    THROTTLE;
    /// Catalogue, shop and slots: requests a minute and address.
    THROTTLE_PUBLIC_READS;
    /// Bookings a minute and address.
    THROTTLE_BOOKINGS_PER_IP;
    /// Bookings an hour and phone number.
    THROTTLE_BOOKINGS_PER_PHONE;
    /// Looks at bookings without proof, a minute and address.
    THROTTLE_LOOKUPS;
    /// One-time codes and reset mails in 30 seconds, to one number or address.
    THROTTLE_OTP_AT_ONCE;
    /// One-time codes and reset mails an hour, to one number or address.
    THROTTLE_OTP_PER_IDENTIFIER;
    /// One-time codes and reset mails an hour, for one IP address.
    THROTTLE_OTP_PER_IP;
    /// Tries of a password or code in 10 minutes, for one number or address.
    THROTTLE_TRIES_PER_IDENTIFIER;
    /// Tries of a password or code in 10 minutes, from one IP address.
    THROTTLE_TRIES_PER_IP;
    /// Wrong staff keys in 10 minutes, from one IP address.
    THROTTLE_WRONG_STAFF_KEYS;
    /// The CloudWatch namespace of what is counted; nothing is counted without one.
    METRICS_NAMESPACE;
    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`. Lambda sets it from the function's log level.
    AWS_LAMBDA_LOG_LEVEL;
    /// The same where Lambda does not set one.
    RUST_LOG;
    /// How Lambda started the environment. Only the real one sets it.
    AWS_LAMBDA_INITIALIZATION_TYPE;
}

/// The value of a variable without which the function cannot work.
pub fn required(variable: Variable) -> Result<String, Error> {
    optional(variable).ok_or(Error::Missing(variable.0))
}

/// The value of a variable, if it is set to anything but white space.
pub fn optional(variable: Variable) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    std::env::var(variable.0).ok().filter(|value| !value.trim().is_empty())
}

/// The value of a variable that has a default.
pub fn or_default<T: FromStr>(variable: Variable, default: T) -> Result<T, Error> {
    optional(variable).map_or(Ok(default), |value| value.trim().parse().map_err(|_| variable.invalid()))
}

/// The items of a comma-separated list; none if the variable is not set.
pub fn list(variable: Variable) -> Vec<String> {
    optional(variable)
        .map(|value| value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect())
        .unwrap_or_default()
}

/// Whether this process runs on AWS rather than under the local emulator.
pub fn is_deployed() -> bool {
    optional(AWS_LAMBDA_INITIALIZATION_TYPE).is_some()
}

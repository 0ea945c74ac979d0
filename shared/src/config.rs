//! Settings: variables of the environment. Secret ones may be kept in AWS Secrets Manager instead; see [`Settings`].

mod aws;
mod live;
mod secrets;
mod settings;
mod values;

use std::str::FromStr;

pub use aws::Aws;
pub(crate) use aws::error_code;
pub use live::Live;
pub use settings::{Pace, Settings};
pub use values::Values;

/// A setting that is missing or invalid. It stops the function at its start, unless a secret may still supply it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The value is not shown: it may be a secret.
    #[error("{0} has a value that cannot be used")]
    Invalid(&'static str),
}

/// The name of an environment variable. [`ALL`] lists every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable(&'static str);

impl Variable {
    /// The error for a value that cannot be used.
    pub const fn invalid(self) -> Error {
        Error::Invalid(self.0)
    }

    /// The error for a value that must be there.
    pub const fn missing(self) -> Error {
        Error::Missing(self.0)
    }

    pub const fn name(self) -> &'static str {
        self.0
    }
}

macro_rules! variables {
    ($($(#[$documentation:meta])* $name:ident;)*) => {
        $($(#[$documentation])* pub const $name: Variable = Variable(stringify!($name));)*

        /// Every variable that the project reads.
        pub const ALL: &[Variable] = &[$($name),*];
    };
}

variables! {
    /// The function's own secret in AWS Secrets Manager, by name or ARN: a JSON object of variable names and values.
    SECRET_ID;
    /// The secret with Postgres's `username` and `password`, in the form that RDS manages.
    DATABASE_SECRET_ID;
    /// The secret with Redis's `password` and, if Redis has users, `username`.
    REDIS_SECRET_ID;
    /// The URL of Secrets Manager; by default that of AWS.
    AWS_ENDPOINT_URL;
    /// The region of Secrets Manager; Lambda sets it, and the credentials below of the function's role.
    AWS_REGION;
    AWS_ACCESS_KEY_ID;
    AWS_SECRET_ACCESS_KEY;
    AWS_SESSION_TOKEN;
    /// The URL of Postgres, `postgres://…`.
    DATABASE_URL;
    /// The secret with `username` and `password` of the database role of most functions, which `migrate` makes.
    APPLICATION_SECRET_ID;
    /// The secret with `username` and `password` of the database role that only reads the catalogue.
    READERS_SECRET_ID;
    /// `name:password` of the role of most functions, where no secret has it.
    APPLICATION_LOGIN;
    /// `name:password` of the role that only reads the catalogue.
    READERS_LOGIN;
    /// The URL of Redis, `redis://…` or `rediss://…`.
    REDIS_URL;
    /// The prefix of every Redis key; empty by default.
    REDIS_KEY_PREFIX;
    /// Origins whose pages may call with credentials, separated by commas.
    CORS_ALLOWED_ORIGINS;
    /// The URL of the example of a page for customers, which `/` leads to; only on one machine.
    EXAMPLE_URL;
    /// The secret with the `header` that CloudFront sends as `X-Origin-Secret`: a request with it counts for the address in
    /// `CloudFront-Viewer-Address`.
    ORIGIN_SECRET_ID;
    /// The value of that header, where no secret has it.
    ORIGIN_SECRET;
    /// The id of the Descope project, `P…`.
    DESCOPE_PROJECT_ID;
    /// The key that manages the users of the Descope project.
    DESCOPE_MANAGEMENT_KEY;
    /// The key for Descope's authentication methods, in a project that lets only its backend call them.
    DESCOPE_AUTH_MANAGEMENT_KEY;
    /// The URL of Descope's API; by default that of the region in the project id.
    DESCOPE_BASE_URL;
    /// Keys that encrypt refresh tokens, `id:base64 of 32 bytes`, separated by commas: the first encrypts, all decrypt.
    REFRESH_TOKEN_KEYS;
    /// The page that mails about passwords link to; Descope adds `?t=<token>`. By default the panel's own.
    PASSWORD_RESET_URL;
    /// The lifetime of a one-time code in seconds, as set in the Descope project.
    OTP_LIFETIME_SECONDS;
    /// Calling codes of the countries whose numbers get one-time codes, separated by commas; `*` for all.
    OTP_COUNTRIES;
    /// API keys of the staff, `label:key`, separated by commas.
    STAFF_API_KEYS;
    /// `true` if bookings can be paid online.
    RAZORPAY_ENABLED;
    /// The public half of Razorpay's API key, `rzp_live_…` or `rzp_test_…`.
    RAZORPAY_KEY_ID;
    /// The secret half of Razorpay's API key.
    RAZORPAY_KEY_SECRET;
    /// The URL of Razorpay's API; by default `https://api.razorpay.com`.
    RAZORPAY_BASE_URL;
    /// The secret that signs webhooks, as set in Razorpay's dashboard.
    RAZORPAY_WEBHOOK_SECRET;
    /// The previous webhook secret: for a day after a change, Razorpay repeats older events with it.
    RAZORPAY_WEBHOOK_SECRET_PREVIOUS;
    /// The address that mails come from, such as `Shop <bookings@shop.example>`; without it no mail is sent.
    SES_FROM;
    /// The address that answers to mails go to; by default `SES_FROM`.
    SES_REPLY_TO;
    /// The configuration set of SES whose events tell what became of mails.
    SES_CONFIGURATION_SET;
    /// The URL of SES; by default that of AWS in the function's region.
    SES_BASE_URL;
    /// The id of the number that WhatsApp messages come from; without it none are sent.
    WHATSAPP_PHONE_NUMBER_ID;
    /// The token that may send from that number.
    WHATSAPP_TOKEN;
    /// The secret of Meta's app, which signs its webhook.
    WHATSAPP_APP_SECRET;
    /// The token that the webhook is registered with, made up by the shop.
    WHATSAPP_VERIFY_TOKEN;
    /// The version of the Cloud API, such as `v26.0`.
    WHATSAPP_API_VERSION;
    /// The URL of the Cloud API; by default `https://graph.facebook.com`.
    WHATSAPP_BASE_URL;
    /// `booking` if the forms for bookings say that news come by WhatsApp, so that a booking is the opt-in.
    WHATSAPP_OPT_IN;
    /// The key of the MSG91 account; without it no SMS is sent.
    MSG91_AUTH_KEY;
    /// Ids of the templates registered at MSG91, `booking_confirmed.en:id`, separated by commas.
    MSG91_TEMPLATES;
    /// The secret that MSG91's webhook sends as `X-Webhook-Secret`.
    MSG91_WEBHOOK_SECRET;
    /// The URL of MSG91; by default `https://control.msg91.com`.
    MSG91_BASE_URL;
    /// Addresses of the shop's people who get mails about bookings, separated by commas.
    MESSAGES_STAFF;
    /// The language of messages to people who chose none, `en` or `hi`.
    MESSAGES_LANGUAGE;
    /// How many hours before a visit its customer is reminded, separated by commas; `off` for never.
    REMINDER_HOURS;
    /// What links in messages begin with; the booking's reference follows. Without it messages have no link.
    /// Payment orders per minute and IP address.
    THROTTLE_ORDERS_PER_IP;
    /// Verifications of payments per minute and IP address.
    THROTTLE_VERIFICATIONS_PER_IP;
    /// Minutes before a visit at which its customer's changes end; 0 by default, when the visit begins.
    BOOKING_CHANGE_CUTOFF_MINUTES;
    /// The frontend's page that manages a booking, with `{token}` in its address; by default a page of our own.
    MANAGE_URL;
    /// `off` switches the rate limits off; a deployed function ignores it.
    THROTTLE;
    /// Reads of catalogue, shop and slots per minute and IP address.
    THROTTLE_PUBLIC_READS;
    /// New bookings per minute and IP address.
    THROTTLE_BOOKINGS_PER_IP;
    /// New bookings per hour and phone number.
    THROTTLE_BOOKINGS_PER_PHONE;
    /// Open unproved bookings per phone number; `off` for no limit, as for those below.
    THROTTLE_UNPROVED_PER_PHONE;
    /// New unproved bookings per day and IP address.
    THROTTLE_UNPROVED_PER_IP;
    /// Of so many places of a pool one is kept for proved bookings.
    THROTTLE_UNPROVED_KEEP_ONE_IN;
    /// The longest unproved job in minutes.
    THROTTLE_UNPROVED_MINUTES;
    /// Reads of bookings without proof of ownership, per minute and IP address.
    THROTTLE_LOOKUPS;
    /// Booking tokens that open nothing, per minute and IP address.
    THROTTLE_JUNK_TOKENS;
    /// Changes of one booking by its owner, per 10 minutes.
    THROTTLE_CHANGES;
    /// Refreshes of sessions, per minute and IP address.
    THROTTLE_REFRESHES_PER_IP;
    /// One-time codes to phone numbers, per hour over all numbers.
    THROTTLE_OTP_BUDGET;
    /// One-time codes and reset mails per 30 seconds and recipient.
    THROTTLE_OTP_AT_ONCE;
    /// One-time codes and reset mails per hour and recipient.
    THROTTLE_OTP_PER_IDENTIFIER;
    /// One-time codes and reset mails per hour and requesting IP address.
    THROTTLE_OTP_PER_IP;
    /// Tries of a password or code per 10 minutes and account identifier (phone number or e-mail address).
    THROTTLE_TRIES_PER_IDENTIFIER;
    /// Tries of a password or code per 10 minutes and IP address.
    THROTTLE_TRIES_PER_IP;
    /// Wrong staff keys per 10 minutes and IP address.
    THROTTLE_WRONG_STAFF_KEYS;
    /// The CloudWatch namespace of the metrics; without it none are written.
    METRICS_NAMESPACE;
    /// `true` if metrics of requests are counted by route too.
    ROUTE_METRICS;
    /// The log level, `error`, `warn`, `info`, `debug` or `trace`; Lambda sets it from the function's configuration.
    AWS_LAMBDA_LOG_LEVEL;
    /// The log level where Lambda does not set one.
    RUST_LOG;
    /// How Lambda started the environment; only AWS sets it, not `make dev`.
    AWS_LAMBDA_INITIALIZATION_TYPE;
}

/// The value of a variable that must be set.
pub fn required(variable: Variable) -> Result<String, Error> {
    optional(variable).ok_or(Error::Missing(variable.0))
}

/// The value of a variable; `None` if it is unset or blank.
pub fn optional(variable: Variable) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    std::env::var(variable.0).ok().filter(|value| !value.trim().is_empty())
}

/// The parsed value of a variable, or a default if it is unset or blank.
pub fn or_default<T: FromStr>(variable: Variable, default: T) -> Result<T, Error> {
    optional(variable).map_or(Ok(default), |value| value.trim().parse().map_err(|_| variable.invalid()))
}

/// The items of a comma-separated list; empty if the variable is not set.
pub fn list(variable: Variable) -> Vec<String> {
    optional(variable)
        .map(|value| value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect())
        .unwrap_or_default()
}

/// Whether this process runs on AWS rather than on a developer's machine.
pub fn is_deployed() -> bool {
    optional(AWS_LAMBDA_INITIALIZATION_TYPE).is_some()
}

//! Sign-in rules: how a password, a code or a link opens an account, and how its sessions are refreshed and ended.
//!
//! Descope keeps passwords and sends codes and mails; `accounts` has the rows. [`proof`] decides which account a code
//! or a link opens.

mod arrival;
mod code;
pub mod codes;
mod countries;
mod identifier;
pub mod password;
pub mod password_reset;
pub mod personnel;
pub mod proof;
pub mod refresh;
pub mod registration;
mod seals;
pub mod sessions;
pub mod tries;
pub mod ways_in;

use std::time::Duration;

use axum::extract::FromRef;

use crate::{
    Error, Result, config,
    http::OwnHost,
    session::Sessions,
    throttle::{Limit, Throttle},
};

pub use code::Code;
pub use countries::{Countries, NO_CODES};
pub use identifier::Identifier;
pub use seals::Seals;

/// Dependencies of signing in.
#[derive(Clone, Debug, FromRef)]
pub struct SignIn {
    /// With the database and the client of Descope.
    pub sessions: Sessions,
    /// Keys that seal refresh tokens.
    pub seals: Seals,
    pub throttle: Throttle,
    pub limits: Limits,
    pub messages: Messages,
    pub admits: Admits,
}

/// Who may open a session through a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    Everyone,
    /// Users with a role of the shop. Others are refused with 403 after their proof, and no session is opened.
    Personnel,
}

/// Rate limits by class.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages to one number or address within 30 seconds.
    pub messages_at_once: Limit,
    /// Messages to one number or address.
    pub messages_per_recipient: Limit,
    /// Messages requested from one IP address.
    pub messages_per_address: Limit,
    /// Failed attempts at a password or code for one number or address, from one network.
    pub tries_per_identifier: Limit,
    /// Failed attempts at passwords or codes from one IP address.
    pub tries_per_address: Limit,
    /// Codes to phone numbers, over all of them: they cost money.
    pub budget: Limit,
    /// Refreshes of sessions from one IP address.
    pub refreshes_per_address: Limit,
    /// Failed attempts for one number or address from all networks, before a network must [pause](Self::pause).
    pub failures: Limit,
    /// The longest pause of one network after a failure.
    pub pause: Limit,
}

impl Limits {
    /// Reads `THROTTLE_OTP_AT_ONCE` (per 30 seconds), `THROTTLE_OTP_PER_IDENTIFIER` and `THROTTLE_OTP_PER_IP` (per
    /// hour), `THROTTLE_TRIES_PER_IDENTIFIER` and `THROTTLE_TRIES_PER_IP` (per ten minutes), `THROTTLE_OTP_BUDGET` (per
    /// hour), `THROTTLE_REFRESHES_PER_IP` (per minute).
    pub fn from_env() -> Result<Self, config::Error> {
        let (hour, ten_minutes) = (Duration::from_hours(1), Duration::from_mins(10));
        let at_once = Duration::from_secs(30);
        Ok(Self {
            messages_at_once: Limit::from_env("otp-at-once", config::THROTTLE_OTP_AT_ONCE, 1, at_once)?,
            messages_per_recipient: Limit::from_env(
                "otp-per-identifier",
                config::THROTTLE_OTP_PER_IDENTIFIER,
                5,
                hour,
            )?,
            messages_per_address: Limit::from_env("otp-per-ip", config::THROTTLE_OTP_PER_IP, 20, hour)?,
            tries_per_identifier: Limit::from_env(
                "tries-per-identifier",
                config::THROTTLE_TRIES_PER_IDENTIFIER,
                10,
                ten_minutes,
            )?,
            tries_per_address: Limit::from_env("tries-per-ip", config::THROTTLE_TRIES_PER_IP, 50, ten_minutes)?,
            budget: Limit::from_env("otp-budget", config::THROTTLE_OTP_BUDGET, 300, hour)?,
            refreshes_per_address: Limit::from_env(
                "refreshes-per-ip",
                config::THROTTLE_REFRESHES_PER_IP,
                60,
                Duration::from_mins(1),
            )?,
            failures: Limit::new("failures", 10, ten_minutes),
            pause: Limit::new("pause", 1, Duration::from_mins(1)),
        })
    }
}

/// Settings of the messages that Descope sends for us.
#[derive(Clone, Debug)]
pub struct Messages {
    /// The page that a password mail links to; the panel's own page if there is none.
    pub password_reset_url: Option<String>,
    /// Lifetime of a one-time code.
    pub code_lifetime: Duration,
    /// The countries whose numbers get codes.
    pub countries: Countries,
}

impl Messages {
    /// Reads `PASSWORD_RESET_URL`, `OTP_LIFETIME_SECONDS` (180, the default of a Descope project) and `OTP_COUNTRIES`
    /// (91).
    pub fn from_env() -> Result<Self, config::Error> {
        Ok(Self {
            password_reset_url: config::optional(config::PASSWORD_RESET_URL),
            code_lifetime: Duration::from_secs(config::or_default(config::OTP_LIFETIME_SECONDS, 180)?),
            countries: config::or_default(config::OTP_COUNTRIES, Countries::default())?,
        })
    }

    /// The page that a password mail links to, for a request that was received at this host.
    pub fn password_page(&self, host: &OwnHost) -> Result<String> {
        let panel = || host.0.as_ref().map(|host| format!("https://{host}/admin/password/"));
        let page = self.password_reset_url.clone().or_else(panel);
        page.ok_or_else(|| Error::internal("PASSWORD_RESET_URL is not set, and the gateway names no host"))
    }
}

//! Accounts: people register, sign in by password or one-time code, look after their profile and their sessions.
//!
//! Descope knows passwords and sends codes and mails; `shared::descope` talks to it. Here stand the rules: whose account
//! a proof opens (`sign_in`), what ends when an address is proved for the first time (`proof`), what a session is.

mod codes;
mod identifier;
mod login;
mod password_reset;
mod profile;
mod proof;
mod register;
mod seals;
mod sessions;
mod sign_in;
mod token_refresh;

use std::time::Duration;

use axum::extract::FromRef;
use shared::{
    config,
    http::Routes,
    session::Sessions,
    throttle::{Limit, Throttle},
};

pub use seals::Seals;

/// Several calls to Descope may be needed for one answer, each with a limit of its own.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// Who is signed in; also the way to the database and to Descope.
    pub sessions: Sessions,
    /// What refresh tokens are sealed with.
    pub seals: Seals,
    /// What counts callers.
    pub throttle: Throttle,
    /// How often they may ask.
    pub limits: Limits,
    /// What mails and codes say.
    pub messages: Messages,
}

/// How often a caller may ask, by class.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages to one number or address within 30 seconds.
    pub messages_at_once: Limit,
    /// Messages to one number or address.
    pub messages_per_recipient: Limit,
    /// Messages that one address asks for.
    pub messages_per_address: Limit,
    /// Tries of a password or code for one number or address.
    pub tries_per_identifier: Limit,
    /// Tries of passwords or codes from one address.
    pub tries_per_address: Limit,
}

impl Limits {
    /// Reads `THROTTLE_OTP_AT_ONCE`, `THROTTLE_OTP_PER_IDENTIFIER` and `THROTTLE_OTP_PER_IP` (an hour),
    /// `THROTTLE_TRIES_PER_IDENTIFIER` and `THROTTLE_TRIES_PER_IP` (ten minutes).
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
        })
    }
}

/// What the messages that Descope sends for us say.
#[derive(Clone, Debug)]
pub struct Messages {
    /// The page of the frontend that a mail about a password leads to.
    pub password_reset_url: String,
    /// How long a one-time code can be used.
    pub code_lifetime: Duration,
}

impl Messages {
    /// Reads `PASSWORD_RESET_URL` and `OTP_LIFETIME_SECONDS` (180, as long as the Descope project is not told
    /// otherwise).
    pub fn from_env() -> Result<Self, config::Error> {
        Ok(Self {
            password_reset_url: config::required(config::PASSWORD_RESET_URL)?,
            code_lifetime: Duration::from_secs(config::or_default(config::OTP_LIFETIME_SECONDS, 180)?),
        })
    }
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, and what describes them.
pub fn routes() -> Routes<App> {
    let routes = register::routes()
        .merge(login::routes())
        .merge(codes::routes())
        .merge(profile::routes())
        .merge(password_reset::routes())
        .merge(sessions::routes())
        .merge(token_refresh::routes());
    Routes::new().nest("/api/auth", routes)
}

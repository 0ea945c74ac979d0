//! The page below `/b/` with which a customer manages a booking, opened by a link that a message carried: HTML without a
//! script, for cheap phones.
//!
//! The token in the path is the only credential ([`holder`]). Only forms change anything, since mail programs and scanners open
//! every link that they see. The rules are those of the API, in `shared`.

mod calendar;
mod cancelling;
mod changing;
mod failure;
mod form;
mod frame;
mod holder;
mod language;
mod moving;
mod page;
mod paying;
mod proving;
mod reminders;
mod routes;
mod show;
mod words;

use std::time::Duration;

use axum::extract::FromRef;
use shared::{
    bookings::{own::Cutoff, unproved},
    config::{self, Settings},
    database::Database,
    http::{Answers, Edge, Routes},
    razorpay::Razorpay,
    sign_in::SignIn,
    throttle::{Limit, Throttle},
};

pub use routes::{ROUTES, Route};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// Codes prove the number of a booking. With the database and the rate limits.
    pub sign_in: SignIn,
    pub payments: Payments,
    pub cutoff: Cutoff,
    pub unproved: unproved::Limits,
    pub limits: Limits,
}

impl App {
    fn database(&self) -> &Database {
        &self.sign_in.sessions.database
    }

    fn throttle(&self) -> &Throttle {
        &self.sign_in.throttle
    }
}

/// Online payment.
#[derive(Clone, Debug)]
pub struct Payments {
    /// Whether new orders are made.
    pub are_enabled: bool,
    pub razorpay: Razorpay,
}

impl Payments {
    /// Reads `RAZORPAY_ENABLED` and the settings of Razorpay's client, which must have a key if it is `true`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let are_enabled = config::or_default(config::RAZORPAY_ENABLED, false)?;
        let razorpay = Razorpay::from_settings(settings)?;
        if are_enabled && matches!(razorpay.has_key(), Ok(false)) {
            return Err(config::RAZORPAY_KEY_ID.missing());
        }
        Ok(Self { are_enabled, razorpay })
    }
}

/// Rate limits of callers; each is counted together with the function that has the same act in the API.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tokens that open nothing, per IP address.
    pub junk_tokens: Limit,
    /// Changes of one booking.
    pub changes: Limit,
    /// New payment orders per IP address.
    pub orders_per_address: Limit,
    /// Verifications of payments per IP address.
    pub verifications_per_address: Limit,
}

impl Limits {
    /// Reads `THROTTLE_JUNK_TOKENS`, `THROTTLE_ORDERS_PER_IP`, `THROTTLE_VERIFICATIONS_PER_IP` (per minute) and
    /// `THROTTLE_CHANGES` (per ten minutes).
    pub fn from_env() -> Result<Self, config::Error> {
        let (minute, verifications) = (Duration::from_mins(1), config::THROTTLE_VERIFICATIONS_PER_IP);
        Ok(Self {
            junk_tokens: Limit::from_env("junk-tokens", config::THROTTLE_JUNK_TOKENS, 30, minute)?,
            changes: Limit::from_env("changes", config::THROTTLE_CHANGES, 20, 10 * minute)?,
            orders_per_address: Limit::from_env("orders-per-ip", config::THROTTLE_ORDERS_PER_IP, 30, minute)?,
            verifications_per_address: Limit::from_env("verifications-per-ip", verifications, 60, minute)?,
        })
    }
}

/// Timeout of a request: a code or a payment needs several calls to Descope or Razorpay, each with its own timeout.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes::router().with_state(app)
}

/// The outer layers: failures as pages, headers that keep the address of the page to itself, and no CORS.
pub fn edge(settings: Settings, database: Database) -> Edge {
    let answers = Answers::Pages { failure: failure::page, headers: failure::HEADERS };
    Edge { deadline: DEADLINE, answers, ..Edge::new(settings, database) }
}

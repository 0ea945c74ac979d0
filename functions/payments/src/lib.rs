//! Online payments through Razorpay: create an order, verify a checkout, receive webhooks.

mod create_order;
mod verify;
mod webhook;

use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use lambda_http::http::request::Parts;
use shared::{
    Error, Result,
    config::{self, Settings},
    database::Database,
    http::Routes,
    razorpay::{Razorpay, WebhookSecrets},
    throttle::{Limit, Throttle},
};

/// Timeout of a request: one request may call Razorpay several times, each call with its own timeout.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    pub database: Database,
    pub gateway: Gateway,
    pub throttle: Throttle,
    pub limits: Limits,
}

/// Rate limits of callers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// New payment orders per IP address.
    pub orders_per_address: Limit,
    /// Verifications of payments per IP address.
    pub verifications_per_address: Limit,
}

impl Limits {
    /// Reads `THROTTLE_ORDERS_PER_IP` and `THROTTLE_VERIFICATIONS_PER_IP`, both per minute.
    pub fn from_env() -> Result<Self, config::Error> {
        let (minute, verifications) = (Duration::from_mins(1), config::THROTTLE_VERIFICATIONS_PER_IP);
        Ok(Self {
            orders_per_address: Limit::from_env("orders-per-ip", config::THROTTLE_ORDERS_PER_IP, 30, minute)?,
            verifications_per_address: Limit::from_env("verifications-per-ip", verifications, 60, minute)?,
        })
    }
}

/// Razorpay's client and webhook secrets. Without keys nothing can be asked; with them, all but new orders goes on while
/// online payment is disabled.
#[derive(Clone, Debug)]
pub struct Gateway {
    takes_orders: bool,
    razorpay: Option<(Razorpay, WebhookSecrets)>,
}

impl Gateway {
    /// Reads `RAZORPAY_ENABLED` and the other settings of Razorpay, which must be there if it is `true`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let takes_orders = config::or_default(config::RAZORPAY_ENABLED, false)?;
        let (razorpay, secrets) = (Razorpay::from_settings(settings)?, WebhookSecrets::from_settings(settings)?);
        if takes_orders && matches!((razorpay.has_key(), secrets.are_set()), (Ok(false), _) | (_, Ok(false))) {
            return Err(config::RAZORPAY_KEY_ID.missing());
        }
        Ok(Self { takes_orders, razorpay: Some((razorpay, secrets)) })
    }

    pub fn enabled(razorpay: Razorpay, secrets: WebhookSecrets) -> Self {
        Self { takes_orders: true, razorpay: Some((razorpay, secrets)) }
    }

    /// With keys, but for payments of before.
    #[must_use]
    pub fn without_new_orders(self) -> Self {
        Self { takes_orders: false, ..self }
    }

    /// Without keys.
    pub fn disabled() -> Self {
        Self { takes_orders: false, razorpay: None }
    }

    /// The client, if it has a key. While the secret with the key is unread, that is an error and not "no key".
    fn razorpay(&self) -> Result<&Razorpay> {
        match &self.razorpay {
            Some((razorpay, _)) if razorpay.has_key()? => Ok(razorpay),
            _ => Err(Error::PaymentsDisabled),
        }
    }

    fn secrets(&self) -> Result<&WebhookSecrets> {
        match &self.razorpay {
            Some((_, secrets)) if secrets.are_set()? => Ok(secrets),
            _ => Err(Error::PaymentsDisabled),
        }
    }
}

/// Razorpay's client, while new orders are taken. Must be the first extractor: while they are not, a request is refused
/// before its body is read.
pub(crate) struct Enabled(pub(crate) Razorpay);

impl FromRequestParts<App> for Enabled {
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self> {
        if !app.gateway.takes_orders {
            return Err(Error::PaymentsDisabled);
        }
        app.gateway.razorpay().cloned().map(Self)
    }
}

/// Razorpay's client, while there are keys. Must be the first extractor too.
pub(crate) struct Keyed(pub(crate) Razorpay);

impl FromRequestParts<App> for Keyed {
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self> {
        app.gateway.razorpay().cloned().map(Self)
    }
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their documentation. Older clients call them below `/api/payments/payments`.
pub fn routes() -> Routes<App> {
    create_order::routes()
        .merge(verify::routes())
        .merge(webhook::routes())
        .moved("/api/payments/payments", "/api/payments")
}

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
    /// Rate limit of creating orders and verifying payments, per IP address.
    pub orders_per_address: Limit,
}

/// Razorpay's client and webhook secrets, while online payments are enabled.
#[derive(Clone, Debug)]
pub struct Gateway(Option<(Razorpay, WebhookSecrets)>);

impl Gateway {
    /// Reads `RAZORPAY_ENABLED` and, if it is `true`, the other settings of Razorpay.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        if !config::or_default(config::RAZORPAY_ENABLED, false)? {
            return Ok(Self(None));
        }
        Ok(Self(Some((Razorpay::from_settings(settings)?, WebhookSecrets::from_settings(settings)?))))
    }

    pub fn enabled(razorpay: Razorpay, secrets: WebhookSecrets) -> Self {
        Self(Some((razorpay, secrets)))
    }

    pub fn disabled() -> Self {
        Self(None)
    }

    fn razorpay(&self) -> Result<&Razorpay> {
        self.0.as_ref().map(|(razorpay, _)| razorpay).ok_or(Error::PaymentsDisabled)
    }

    fn secrets(&self) -> Result<&WebhookSecrets> {
        self.0.as_ref().map(|(_, secrets)| secrets).ok_or(Error::PaymentsDisabled)
    }
}

/// Razorpay's client. Must be the first extractor: while payments are disabled, a request is refused before its body is
/// read.
pub(crate) struct Enabled(pub(crate) Razorpay);

impl FromRequestParts<App> for Enabled {
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self> {
        app.gateway.razorpay().cloned().map(Self)
    }
}

/// Reads `THROTTLE_ORDERS_PER_IP`.
pub fn orders_per_address() -> Result<Limit, config::Error> {
    Limit::from_env("orders-per-ip", config::THROTTLE_ORDERS_PER_IP, 30, Duration::from_mins(1))
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their documentation. Older clients call them below `/api/payments/payments`.
pub fn routes() -> Routes<App> {
    let routes = || create_order::routes().merge(verify::routes()).merge(webhook::routes());
    Routes::new().nest("/api/payments", routes()).nest("/api/payments/payments", routes())
}

//! Online payments through Razorpay: an order to pay, the browser's word that it was paid, and Razorpay's own.

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

/// Razorpay may be called several times for one answer, each time with a limit of its own.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// Where bookings and their money are kept.
    pub database: Database,
    /// Razorpay, while online payments are enabled.
    pub gateway: Gateway,
    /// What counts callers.
    pub throttle: Throttle,
    /// Orders that one address may ask for in a minute.
    pub orders_per_address: Limit,
}

/// Razorpay, if bookings can be paid online.
#[derive(Clone, Debug)]
pub struct Gateway(Option<(Razorpay, WebhookSecrets)>);

impl Gateway {
    /// Reads `RAZORPAY_ENABLED` and, if it is `true`, what else Razorpay needs.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        if !config::or_default(config::RAZORPAY_ENABLED, false)? {
            return Ok(Self(None));
        }
        Ok(Self(Some((Razorpay::from_settings(settings)?, WebhookSecrets::from_settings(settings)?))))
    }

    /// An account, and what its webhooks are signed with.
    pub fn enabled(razorpay: Razorpay, secrets: WebhookSecrets) -> Self {
        Self(Some((razorpay, secrets)))
    }

    /// None.
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

/// The account that is paid into. While payments are disabled a request that needs it is refused, whatever else it says.
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

/// All routes of this function, and what describes them. Older clients call them below `/api/payments/payments`.
pub fn routes() -> Routes<App> {
    let routes = || create_order::routes().merge(verify::routes()).merge(webhook::routes());
    Routes::new().nest("/api/payments", routes()).nest("/api/payments/payments", routes())
}

//! The first page, health checks, the API documentation, and the 404 for unknown paths.

mod documentation;
mod health;
mod home;

use axum::extract::FromRef;
use shared::{
    database::Database,
    http::Routes,
    redis::Redis,
    throttle::{Limit, Throttle},
};

/// State of the handlers.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    pub database: Database,
    pub redis: Redis,
    pub throttle: Throttle,
    /// Checks of readiness per IP address.
    pub checks_per_address: Limit,
    /// The URL of the example of a page for customers, if there is one.
    pub example: Option<String>,
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their OpenAPI descriptions.
pub fn routes() -> Routes<App> {
    home::routes().merge(health::routes()).merge(documentation::routes())
}

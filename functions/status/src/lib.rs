//! Health checks, the API documentation, and the 404 for unknown paths.

mod documentation;
mod health;

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
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their OpenAPI descriptions.
pub fn routes() -> Routes<App> {
    Routes::new().merge(health::routes()).merge(documentation::routes())
}

//! Services that the shop sells: categories, services, and their prices per vehicle model.

mod categories;
mod pricing;
mod services;

use axum::extract::FromRef;
use shared::{cache::Cache, http::Routes};

/// State of the handlers.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    pub cache: Cache,
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their OpenAPI descriptions. Older clients call them below `/api/services`.
pub fn routes() -> Routes<App> {
    categories::routes().merge(services::routes()).merge(pricing::routes()).moved("/api/services", "/api")
}

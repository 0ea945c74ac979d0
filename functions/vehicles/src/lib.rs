//! Vehicles that the shop repairs: types, brands and models.

mod brands;
mod models;
mod types;

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

/// All routes of this function, with their OpenAPI descriptions. Older clients call them below `/api/vehicles`.
pub fn routes() -> Routes<App> {
    types::routes().merge(brands::routes()).merge(models::routes()).moved("/api/vehicles", "/api")
}

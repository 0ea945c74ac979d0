//! Vehicles that the shop repairs: types, brands and models.

mod brands;
mod models;
mod types;

use axum::extract::FromRef;
use shared::{
    cache::Cache,
    http::{Routes, former},
};

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
    let resources = || types::routes().merge(brands::routes()).merge(models::routes());
    Routes::new().nest("/api", resources()).nest("/api/vehicles", former("/api", resources()))
}

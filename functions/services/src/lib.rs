//! What the shop sells: categories, services, and the price of each for a given model.

mod categories;
mod pricing;
mod services;

use axum::extract::FromRef;
use shared::{cache::Cache, http::Routes};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// The catalogue.
    pub cache: Cache,
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, and what describes them. Older clients call them below `/api/services`.
pub fn routes() -> Routes<App> {
    let resources = || categories::routes().merge(services::routes()).merge(pricing::routes());
    Routes::new().nest("/api", resources()).nest("/api/services", resources())
}

//! Which machines the shop repairs: types, their brands, their models.

mod brands;
mod models;
mod types;

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

/// All routes of this function, and what describes them. Older clients call them below `/api/vehicles`.
pub fn routes() -> Routes<App> {
    let resources = || types::routes().merge(brands::routes()).merge(models::routes());
    Routes::new().nest("/api", resources()).nest("/api/vehicles", resources())
}

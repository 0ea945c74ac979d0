//! The shop: contact data, location and opening hours.

mod info;

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

/// All routes of this function, with their OpenAPI descriptions. Older clients call them below `/api/shop`.
pub fn routes() -> Routes<App> {
    info::routes().moved("/api/shop", "/api")
}

//! Where the shop is and when it is open.

mod info;

use axum::extract::FromRef;
use shared::{cache::Cache, http::Routes};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// The shop's part of the catalogue.
    pub cache: Cache,
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, and what describes them. Older clients call them below `/api/shop`.
pub fn routes() -> Routes<App> {
    Routes::new().nest("/api", info::routes()).nest("/api/shop", info::routes())
}

//! Whether the system is well, what its API looks like, and the answer for every path that stands for nothing.

mod documentation;
mod health;

use axum::extract::FromRef;
use shared::{database::Database, http::Routes, redis::Redis};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// Asked whether it answers.
    pub database: Database,
    /// Asked whether it answers.
    pub redis: Redis,
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, and what describes them.
pub fn routes() -> Routes<App> {
    Routes::new().merge(health::routes()).merge(documentation::routes())
}

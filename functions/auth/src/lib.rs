//! Accounts: registration, sign-in by password or one-time code, password reset, profile and sessions.
//!
//! This crate has the routes and bodies; the rules are in `shared::sign_in`.

mod codes;
mod login;
mod password_reset;
mod profile;
mod register;
mod sessions;
mod staff_login;
mod token_refresh;
mod welcome;

use std::time::Duration;

use shared::http::Routes;

pub use shared::sign_in::{Admits, Countries, Limits, Messages, Seals, SignIn as App};

/// Timeout of a request: one may need several calls to Descope, each with its own timeout.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their OpenAPI descriptions.
pub fn routes() -> Routes<App> {
    register::routes()
        .merge(login::routes())
        .merge(staff_login::routes())
        .merge(codes::routes())
        .merge(profile::routes())
        .merge(password_reset::routes())
        .merge(sessions::routes())
        .merge(token_refresh::routes())
        .below("/api/auth")
}

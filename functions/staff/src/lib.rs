//! Bookings for staff: list and show them, change status and time, record cash, refund, statistics.
//!
//! Every route requires a [`Staff`](shared::staff::Staff): a staff key, or the session of a user with a staff role. The
//! rules are in `shared::bookings` and `shared::payments`.

mod cancel_many;
mod edit;
mod list;
mod record_cash;
mod refund;
mod show;
mod statistics;
mod update_status;

use axum::extract::FromRef;
use shared::{database::Database, http::Routes, session::Sessions, staff::StaffKeys};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    pub database: Database,
    pub sessions: Sessions,
    pub staff_keys: StaffKeys,
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their documentation. Older clients call them below `/api/staff`.
pub fn routes() -> Routes<App> {
    list::routes()
        .merge(statistics::routes())
        .merge(show::routes())
        .merge(edit::routes())
        .merge(cancel_many::routes())
        .merge(update_status::routes())
        .merge(record_cash::routes())
        .merge(refund::routes())
        .moved("/api/staff", "/api")
}

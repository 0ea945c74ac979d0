//! What the shop does with its bookings: finds them, takes them from one status to the next, moves them, takes their money
//! and gives it back, counts them.
//!
//! Every route wants a [`Staff`](shared::staff::Staff): a staff key, or the session of a user who works in the shop. The
//! rules by which a booking changes stand in `shared::bookings::change`.

mod change;
mod list;
mod record_cash;
mod refund;
mod show;
mod stats;
mod update_status;

use axum::extract::FromRef;
use shared::{database::Database, http::Routes, session::Sessions, staff::StaffKeys};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// Where bookings are kept.
    pub database: Database,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who has a key.
    pub staff_keys: StaffKeys,
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, and what describes them. Older clients call them below `/api/staff`.
pub fn routes() -> Routes<App> {
    let staff = || {
        list::routes()
            .merge(stats::routes())
            .merge(show::routes())
            .merge(change::routes())
            .merge(update_status::routes())
            .merge(record_cash::routes())
            .merge(refund::routes())
    };
    Routes::new().nest("/api", staff()).nest("/api/staff", staff())
}

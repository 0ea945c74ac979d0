//! The panel at `/admin/`, where the shop is run: HTML pages and forms for the shop's people.
//!
//! [`routes`] is the table of all pages and who may use them. Each list and form is drawn by [`kit`] from plain data.

mod access;
mod activity;
mod assets;
mod bookings;
mod cash;
mod catalogue;
mod customers;
mod entry;
mod failure;
mod kit;
mod language;
mod messages;
mod payments;
mod prices;
mod reports;
mod routes;
mod search;
mod session;
mod shop;
mod staff_keys;
mod system;
mod today;
mod users;
mod words;

use std::time::Duration;

use axum::extract::FromRef;
use shared::{
    bookings::manage_page::ManagePage,
    config::Settings,
    database::Database,
    http::{Answers, Edge, Routes},
    redis::Redis,
    sign_in::SignIn,
};

pub use access::Access;
pub use kit::ask::LONGEST_FILE;
pub use routes::{ROUTES, Route};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// With the database and the client of Descope.
    pub sign_in: SignIn,
    /// A change of the catalogue is announced there.
    pub redis: Redis,
    /// To which links to bookings lead.
    pub manage_page: ManagePage,
}

impl App {
    pub(crate) fn database(&self) -> &Database {
        &self.sign_in.sessions.database
    }
}

/// Timeout of a request: signing in needs several calls to Descope, each with its own timeout.
pub const DEADLINE: Duration = Duration::from_secs(25);

/// The largest request, in bytes: a file of prices for 2,000 models.
pub const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes::router(app)
}

/// The outer layers: failures as pages, headers that keep other origins out, and no CORS.
pub fn edge(settings: Settings, database: Database) -> Edge {
    let answers = Answers::Pages { failure: failure::page, headers: failure::HEADERS };
    Edge { deadline: DEADLINE, body_limit: BODY_LIMIT, answers, ..Edge::new(settings, database) }
}

//! Bookings and free slots: a customer books a time, looks at the booking, moves it, cancels it.
//!
//! The rules are in `shared::bookings`; here are routes, bodies and who may call.

mod caller;
mod cancel;
mod create;
mod free_slots;
mod lookup;
mod reschedule;
mod timeline;

use std::time::Duration;

use axum::extract::FromRef;
use shared::{
    bookings::plan::OnlinePayment,
    config,
    database::Database,
    http::Routes,
    session::Sessions,
    staff::StaffKeys,
    throttle::{Limit, Throttle},
};

/// What the handlers of this function need.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    /// Where bookings are kept.
    pub database: Database,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who of the staff has a key.
    pub staff_keys: StaffKeys,
    /// What counts callers.
    pub throttle: Throttle,
    /// How often they may ask.
    pub limits: Limits,
    /// Whether a booking may be paid online.
    pub online: OnlinePayment,
}

/// How often a caller may ask, by class.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Free slots: see [`Limit::public_reads`].
    pub public_reads: Limit,
    /// Creations by one address.
    pub bookings_per_address: Limit,
    /// Creations for one phone number.
    pub bookings_per_phone: Limit,
    /// Looks at bookings without proof of who looks, by one address.
    pub lookups: Limit,
}

impl Limits {
    /// Reads `THROTTLE_PUBLIC_READS`, `THROTTLE_BOOKINGS_PER_IP`, `THROTTLE_LOOKUPS` (a minute) and
    /// `THROTTLE_BOOKINGS_PER_PHONE` (an hour).
    pub fn from_env() -> Result<Self, config::Error> {
        let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
        Ok(Self {
            public_reads: Limit::public_reads()?,
            bookings_per_address: Limit::from_env("bookings-per-ip", config::THROTTLE_BOOKINGS_PER_IP, 10, minute)?,
            bookings_per_phone: Limit::from_env("bookings-per-phone", config::THROTTLE_BOOKINGS_PER_PHONE, 10, hour)?,
            lookups: Limit::from_env("lookups", config::THROTTLE_LOOKUPS, 30, minute)?,
        })
    }
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, and what describes them. Older clients call bookings below `/api/bookings`.
pub fn routes() -> Routes<App> {
    let bookings = || {
        create::routes()
            .merge(lookup::routes())
            .merge(reschedule::routes())
            .merge(cancel::routes())
            .merge(timeline::routes())
    };
    Routes::new().nest("/api", bookings().merge(free_slots::routes())).nest("/api/bookings", bookings())
}

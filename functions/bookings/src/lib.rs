//! Bookings and free slots: customers book a time, read their bookings, move them and cancel them.
//!
//! This crate has the routes, bodies and authorization; the rules are in `shared::bookings`.

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
    bookings::{own::Cutoff, plan::OnlinePayment, unproved},
    config,
    database::Database,
    http::Routes,
    session::Sessions,
    staff::StaffKeys,
    throttle::{Limit, Throttle},
};

/// State of the handlers.
#[derive(Clone, Debug, FromRef)]
pub struct App {
    pub database: Database,
    pub sessions: Sessions,
    pub staff_keys: StaffKeys,
    pub throttle: Throttle,
    pub limits: Limits,
    pub online: OnlinePayment,
    pub cutoff: Cutoff,
    pub unproved: unproved::Limits,
}

/// Rate limits of callers, by class of request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Free slots: see [`Limit::public_reads`].
    pub public_reads: Limit,
    /// New bookings per IP address.
    pub bookings_per_address: Limit,
    pub bookings_per_phone: Limit,
    /// Reads of bookings without proof of ownership, per IP address.
    pub lookups: Limit,
    /// Booking tokens that open nothing, per IP address.
    pub junk_tokens: Limit,
    /// Changes of one booking by its owner.
    pub changes: Limit,
}

impl Limits {
    /// Reads `THROTTLE_PUBLIC_READS`, `THROTTLE_BOOKINGS_PER_IP`, `THROTTLE_LOOKUPS`, `THROTTLE_JUNK_TOKENS` (per
    /// minute), `THROTTLE_CHANGES` (per ten minutes) and `THROTTLE_BOOKINGS_PER_PHONE` (per hour).
    pub fn from_env() -> Result<Self, config::Error> {
        let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
        Ok(Self {
            public_reads: Limit::public_reads()?,
            bookings_per_address: Limit::from_env("bookings-per-ip", config::THROTTLE_BOOKINGS_PER_IP, 10, minute)?,
            bookings_per_phone: Limit::from_env("bookings-per-phone", config::THROTTLE_BOOKINGS_PER_PHONE, 10, hour)?,
            lookups: Limit::from_env("lookups", config::THROTTLE_LOOKUPS, 30, minute)?,
            junk_tokens: Limit::from_env("junk-tokens", config::THROTTLE_JUNK_TOKENS, 30, minute)?,
            changes: Limit::from_env("changes", config::THROTTLE_CHANGES, 20, 10 * minute)?,
        })
    }
}

/// All routes of this function, ready to serve.
pub fn router(app: App) -> Routes {
    routes().with_state(app)
}

/// All routes of this function, with their OpenAPI descriptions. Older clients call bookings below `/api/bookings`.
pub fn routes() -> Routes<App> {
    create::routes()
        .merge(lookup::routes())
        .merge(reschedule::routes())
        .merge(cancel::routes())
        .merge(timeline::routes())
        .moved("/api/bookings", "/api")
        .merge(free_slots::routes().below("/api"))
}

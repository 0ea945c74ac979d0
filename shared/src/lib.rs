//! What two functions or more need, in three storeys. A module imports from its own storey and from those below it, never
//! from above; a test reads the imports.

// Plumbing: the way in and out, and what everything is written with.
pub mod cache;
pub mod config;
pub mod database;
pub mod day_minute;
pub mod email;
pub mod error;
pub mod http;
pub mod idempotency;
pub mod ids;
pub mod language;
pub mod logging;
pub mod metrics;
pub mod money;
pub mod outgoing;
pub mod phone;
pub mod redis;
mod sealed;
pub mod text;
pub mod throttle;
pub mod written;

// Clients: the services of others.
pub mod carriers;
pub mod descope;
pub mod razorpay;

// Domain: the shop's rules, and the tables that they keep.
pub mod accounts;
pub mod bookings;
pub mod catalogue;
pub mod customers;
pub mod history;
pub mod messages;
pub mod outbox;
pub mod payments;
pub mod session;
pub mod sign_in;
pub mod staff;

pub use error::{Error, Faults, Result};

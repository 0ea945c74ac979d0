//! What two functions or more need: one module per idea.

pub mod accounts;
pub mod bookings;
pub mod cache;
pub mod catalogue;
pub mod config;
pub mod database;
pub mod descope;
pub mod email;
pub mod error;
pub mod http;
pub mod idempotency;
pub mod logging;
pub mod metrics;
pub mod money;
pub mod outgoing;
pub mod payments;
pub mod phone;
pub mod razorpay;
pub mod redis;
pub mod session;
pub mod staff;
pub mod throttle;
pub mod written;

pub use error::{Error, Faults, Result};

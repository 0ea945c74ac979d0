//! What two functions or more need: one module per idea.

pub mod cache;
pub mod catalogue;
pub mod config;
pub mod database;
pub mod error;
pub mod http;
pub mod logging;
pub mod money;
pub mod phone;
pub mod redis;
#[cfg(feature = "testing")]
pub mod testing;
pub mod throttle;

pub use error::{Error, Faults, Result};

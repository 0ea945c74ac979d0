//! Tests of the stand-in over HTTP.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod capture;
mod checkout;
mod client;
mod delivery;
mod endpoint;
mod faults;
mod hooks;
mod hosted;
mod orders;
mod payments;
mod refunds;
mod settlements;
mod signatures;

//! Money: orders, what was paid on them, cash, and what goes back.
//!
//! Everything happens under the lock of the booking, so that what the browser, a webhook, the reconciliation and staff say at
//! once is applied one after another. Each applies what it knows; what is known already changes nothing.

pub mod cash;
pub mod mismatches;
pub mod orders;
mod paid;
pub mod refunds;
mod settle;
pub mod states;
pub mod webhooks;

pub use settle::{Settlement, settle};

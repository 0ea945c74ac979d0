//! Payments: Razorpay orders and captures, cash, refunds, and the count of the drawer.
//!
//! Every change holds the row lock of the booking, so that concurrent reports from the browser, a webhook, the
//! reconciliation and staff are applied one after another. Each is idempotent: a fact that is known already changes
//! nothing.

pub mod cash;
pub mod checkout;
pub mod disputes;
pub mod drawer;
pub mod mismatches;
pub mod orders;
mod paid;
pub mod refunds;
mod settle;
pub mod settlements;
pub mod states;
pub mod unmatched;
pub mod webhooks;

pub use settle::{Settlement, settle};

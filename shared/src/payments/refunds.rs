//! Refunds: queued in the transaction of their cause, sent by a job, final when Razorpay reports the outcome.

pub mod by_hand;
mod delivery;
mod outcome;
mod queue;
mod request;

pub use delivery::{Queued, claim_pending, find, give_up};
pub use outcome::{Told, record};
pub use queue::{give_back_all, left, queue};
pub use request::{Part, Shown, To, again, list, preview, request};

//! Refunds: queued in the transaction of their cause, sent by a job, final when Razorpay reports the outcome.

pub mod by_hand;
mod delivery;
mod outcome;
mod queue;
mod request;
mod rests;

pub use delivery::{Queued, claim_pending, find, give_up, refuse};
pub use outcome::{Told, record};
pub use queue::{give_back_all, left, queue};
pub use request::{Part, Shown, To, again, forget, list, preview, request, request_by_hand};
pub use rests::{LEAST_ONLINE_PAISE, write_off};

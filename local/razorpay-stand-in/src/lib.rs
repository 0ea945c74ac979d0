//! A stand-in for Razorpay on one machine: orders, payments, captures, refunds, disputes, the settlement report, webhooks,
//! and a hook that plays the customer.
//!
//! Tests start any number of them, each with its own orders; developers run the binary. The official SDKs work against
//! it unmodified. Guesses about the real service are marked where they are made: texts and statuses in `answer.rs`,
//! defaults in `settings.rs`.

mod agenda;
mod answer;
mod attempt;
mod capture;
mod checkout;
mod collections;
mod courier;
mod disputes;
mod endpoints;
mod entities;
mod faults;
mod fields;
mod hooks;
mod hosted;
mod idempotency;
mod orders;
mod payments;
mod random;
mod razorpay;
mod refunds;
mod report;
mod request;
mod returns;
mod server;
mod settings;
mod signature;
mod state;
mod turn;
mod webhooks;

pub use attempt::{Attempt, Outcome};
pub use checkout::Checkout;
pub use disputes::DisputeOutcome;
pub use faults::Fault;
pub use razorpay::Razorpay;
pub use returns::RefundOutcome;
pub use settings::{ReceiptPolicy, Settings};
pub use signature::sign;
pub use webhooks::{Delivery, Webhook};

/// A running stand-in. It stops when it is dropped.
pub type StandIn = stand_in::StandIn<Razorpay>;

/// The id of the only API key.
pub const KEY_ID: &str = "rzp_test_local00000000";

/// The secret of the API key, which also signs the result of checkout.
pub const KEY_SECRET: &str = "local-key-secret";

/// The default of the secret that signs webhooks.
pub const WEBHOOK_SECRET: &str = "local-webhook-secret";

/// The id of the only account, as webhooks name it.
pub const ACCOUNT_ID: &str = "acc_Local000000000";

//! A stand-in for Razorpay on one machine: orders, payments, captures, refunds and webhooks, with a hook that plays the customer.
//!
//! Tests start as many as they like, each with its own orders; developers run the binary. The official SDKs work against it
//! unmodified. What is not known about the real service is noted where it is decided: the texts and statuses in `answer.rs`,
//! the defaults in `settings.rs`.

mod agenda;
mod answer;
mod capture;
mod checkout;
mod collections;
mod courier;
mod endpoints;
mod entities;
mod faults;
mod fields;
mod hooks;
mod idempotency;
mod orders;
mod payments;
mod random;
mod razorpay;
mod refunds;
mod request;
mod returns;
mod server;
mod settings;
mod signature;
mod state;
mod webhooks;

pub use checkout::{Attempt, Checkout, Outcome};
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

/// The secret of the API key. It signs what checkout hands to the browser.
pub const KEY_SECRET: &str = "local-key-secret";

/// The secret that signs webhooks, unless the settings say otherwise.
pub const WEBHOOK_SECRET: &str = "local-webhook-secret";

/// The id of the only account, as webhooks name it.
pub const ACCOUNT_ID: &str = "acc_Local000000000";

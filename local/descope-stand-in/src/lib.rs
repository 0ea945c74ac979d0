//! A stand-in for Descope on one machine: the REST API as far as a backend uses it, with an inbox instead of SMS and e-mail.
//!
//! Tests start as many as they like, each with its own users; developers run the binary. The official SDKs work against it
//! unmodified. What is not known about the real service is noted where it is decided: the codes and statuses in `answer.rs`,
//! the defaults in `settings.rs`.

mod answer;
mod attributes;
mod codes;
mod delivery;
mod descope;
mod endpoints;
mod faults;
mod hooks;
mod inbox;
mod links;
mod management;
mod passwords;
mod random;
mod request;
mod roles;
mod server;
mod sessions;
mod settings;
mod state;
mod tokens;
mod users;

pub use descope::Descope;
pub use faults::Fault;
pub use inbox::{Message, MessageKind};
pub use settings::{Issuer, JwksForm, Settings};

/// A running stand-in. It stops when it is dropped.
pub type StandIn = stand_in::StandIn<Descope>;

/// The id of the only project.
pub const PROJECT_ID: &str = "P2localrepairmybike000000000";

/// The management key of the project.
pub const MANAGEMENT_KEY: &str = "local-management-key";

//! Local stand-in for Descope: the part of the REST API that a backend uses, with an inbox instead of SMS and e-mail.
//!
//! Tests start as many as they need, each with its own users; developers run the binary. The official SDKs work against
//! it unmodified. Assumptions about the real service are marked in the code: error codes and statuses in `answer.rs`,
//! defaults in `settings.rs`.

mod answer;
mod attributes;
mod codes;
mod delivery;
mod descope;
mod endpoints;
mod faults;
mod hooks;
mod inbox;
mod issued;
mod links;
mod managed;
mod management;
mod password;
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

pub const MANAGEMENT_KEY: &str = "local-management-key";

//! Framework for stand-ins of third-party services: HTTP server, clock, state file and fault injection.
//!
//! A stand-in implements [`Service`] to answer calls.

mod answer;
mod arrivals;
mod clock;
mod door;
mod faults;
pub mod program;
pub mod random;
mod service;
mod settings;
mod shared;
mod stand_in;

pub use answer::response;
pub use clock::Clock;
pub use faults::{Fault, Faults, headers, milliseconds, spoiled};
pub use service::Service;
pub use settings::changed;
pub use shared::Shared;
pub use stand_in::StandIn;

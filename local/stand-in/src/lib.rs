//! The frame of a stand-in for a service of somebody else: its server, its clock, its file, and trouble on demand.
//!
//! What a service answers, it brings itself, as a [`Service`].

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

//! The way of a request through a function: in from API Gateway, past the extractors, out as one of two bodies.

mod conditional;
mod envelope;
mod extract;
mod fields;
mod gateway;
mod observe;
mod routes;
mod stack;
pub mod time;

pub use crate::routes;
pub use conditional::{etag, not_modified};
pub use envelope::{Envelope, Paged, Paging, json, private_json};
pub use extract::{ClientAddress, Device, Id, Json, Query};
pub use fields::{Fields, Read};
pub use gateway::{handler, serve};
pub use routes::Routes;
#[cfg(not(feature = "openapi"))]
#[doc(hidden)]
pub use routes::route;
#[doc(hidden)]
pub use routes::utoipa_axum;
pub use stack::{DEADLINE, Edge};

//! The OpenAPI document against the running functions: each example is sent as documented, and each answer is checked
//! against its schema.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod apps;
mod document;
mod story;
mod world;

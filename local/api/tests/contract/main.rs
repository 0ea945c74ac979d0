//! The document against the running functions: each example is sent as it is documented, and each answer is held against its
//! schema.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod document;
mod story;
mod world;

//! Tests of the stand-in, over HTTP.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod client;
mod codes;
mod hooks;
mod links;
mod management;
mod passwords;
mod sessions;

//! The rules of the stand-in, as a client over HTTP sees them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod client;
mod codes;
mod hooks;
mod links;
mod management;
mod passwords;
mod sessions;

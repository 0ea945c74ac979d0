//! The catalogue and the shop as files: read with care, brought into the database as one change.

mod apply;
mod files;
mod shop;
mod tables;

pub use apply::{Error as ImportError, Report, Rows, import, publish_version};
pub use files::{Catalogue, Fault, FaultyFiles, Files, parse};

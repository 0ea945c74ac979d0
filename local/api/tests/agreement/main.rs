//! Code, template and docs agree on routes, settings, permissions, alarms, parameters and the network.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "test code")]

mod alarms;
mod network;
mod parameters;
mod roles;
mod routes;
mod settings;
mod template;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

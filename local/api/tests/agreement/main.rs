//! Code, template and docs agree on error codes, routes, settings, permissions, alarms, parameters and the network; imports point down.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "test code")]

mod alarms;
mod cdn;
mod codes;
mod network;
mod parameters;
mod roles;
mod routes;
mod settings;
mod storeys;
mod template;
mod watching;

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

/// The text of every file in a folder and below, by path from the root.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let inside = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            files.extend(self::files(&inside));
        } else {
            let text = read(&inside);
            files.push((inside, text));
        }
    }
    files
}

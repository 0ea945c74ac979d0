//! Lookup of installed programs.

use std::{env, path::PathBuf};

/// The files of this name on the `PATH`.
#[expect(clippy::disallowed_methods, reason = "this is no part of the deployed system")]
pub(crate) fn on_path(name: &str) -> Vec<PathBuf> {
    let on_path = env::var("PATH").unwrap_or_default();
    env::split_paths(&on_path).map(|directory| directory.join(name)).filter(|program| program.is_file()).collect()
}

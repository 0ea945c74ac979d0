//! Orders the code of the binary, and makes the style sheet that every page holds, and the source by which the content
//! security policy allows it alone.

use std::{env, fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    layout::link();
    println!("cargo:rerun-if-changed=assets");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("Cargo names the directory")?);
    let text = fs::read_to_string("assets/manage.css")?;
    let is_comment = |line: &&str| line.starts_with("/*") && line.ends_with("*/");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line));
    let style = lines.collect::<Vec<_>>().join("\n");
    let hash = STANDARD.encode(Sha256::digest(&style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    );
    let constants = format!(
        "/// The style sheet of every page.
pub(crate) const STYLE: &str = {style:?};
/// Nothing is loaded, no script runs, and forms lead to us alone.
pub(crate) const POLICY: &str = {policy:?};
"
    );
    fs::write(out.join("style.rs"), constants)?;
    Ok(())
}

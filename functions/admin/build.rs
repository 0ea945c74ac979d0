//! Orders the code of the binary, and compresses the panel's assets and names each by a hash of its content, so that browsers
//! may keep it for ever.

use std::{env, fmt::Write as _, fs, io::Write as _, path::PathBuf};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// Name, content type and source files of each asset, joined in this order.
const ASSETS: [(&str, &str, &[&str]); 2] = [
    ("panel.css", "text/css; charset=utf-8", &["assets/oat.min.css", "assets/panel.css"]),
    ("panel.js", "text/javascript; charset=utf-8", &["assets/panel.js"]),
];

/// What marks the blocks of oat.min.css that no page uses; they are 4 of its 7 KB, compressed.
const UNUSED: [&str; 16] = [
    "[data-variant=avatar]",
    "menu.buttons",
    "fieldset.group",
    "progress{",
    "[aria-busy=true]",
    "--grid-cols",
    ".card{",
    "[role=alert]",
    ".badge{",
    "[role=tablist]",
    "ot-dropdown",
    ".toast-container",
    "[data-sidebar-layout]",
    ".skeleton",
    "[data-tooltip]",
    ".align-left{",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    layout::link();
    println!("cargo:rerun-if-changed=assets");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("Cargo names the directory")?);
    let mut list = String::new();
    for (name, content_type, files) in ASSETS {
        let mut bytes = Vec::new();
        for file in files {
            let text = fs::read_to_string(file)?;
            bytes.extend(if file.ends_with("oat.min.css") { used(&text)? } else { slim(&text) }.into_bytes());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        fs::write(out.join(format!("{name}.gz")), encoder.finish()?)?;
        fs::write(out.join(name), &bytes)?;
        let hash = hex::encode(Sha256::digest(&bytes).get(..8).unwrap_or_default());
        let (stem, end) = name.rsplit_once('.').ok_or("an asset has an ending")?;
        let constant = end.to_uppercase();
        writeln!(
            list,
            "/// `{name}`, by a name that changes with its content.
pub(crate) const {constant}: &str = \"{stem}-{hash}.{end}\";
const {constant}_FILE: Asset = Asset {{
    name: {constant},
    content_type: {content_type:?},
    plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")),
    gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")),
}};"
        )?;
    }
    fs::write(out.join("assets.rs"), list)?;
    Ok(())
}

/// The blocks of a style sheet that pages use.
fn used(text: &str) -> Result<String, String> {
    if let Some(missing) = UNUSED.iter().find(|mark| !text.contains(**mark)) {
        return Err(format!("oat.min.css has no {missing} any more: look at UNUSED again"));
    }
    let (mut depth, mut begin, mut kept) = (0_u32, 0, String::new());
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        let block = text.get(begin..=at).unwrap_or_default();
        if depth == 0 {
            begin = at + 1;
            if !UNUSED.iter().any(|mark| block.contains(mark)) {
                kept += block;
                kept.push('\n');
            }
        }
    }
    Ok(kept)
}

/// A text without indentation and without lines that are comments only.
fn slim(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| {
        let is_comment = line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
        !line.is_empty() && !is_comment
    });
    lines.fold(String::new(), |kept, line| kept + line + "\n")
}

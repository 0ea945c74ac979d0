//! Compresses the panel's assets and names each by a hash of its content, so that browsers may keep it for ever.

use std::{env, fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// Name, content type and source files of each asset, joined in this order.
const ASSETS: [(&str, &str, &[&str]); 2] = [
    ("panel.css", "text/css; charset=utf-8", &["assets/oat.min.css", "assets/panel.css"]),
    ("panel.js", "text/javascript; charset=utf-8", &["assets/panel.js"]),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=assets");
    let out = env::var("OUT_DIR")?;
    let mut list = String::new();
    for (name, content_type, files) in ASSETS {
        let mut bytes = Vec::new();
        for file in files {
            bytes.extend(fs::read(file)?);
            bytes.push(b'\n');
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        fs::write(Path::new(&out).join(format!("{name}.gz")), encoder.finish()?)?;
        fs::write(Path::new(&out).join(name), &bytes)?;
        let hash = hex::encode(Sha256::digest(&bytes).get(..8).unwrap_or_default());
        let (stem, end) = name.rsplit_once('.').ok_or("an asset has an ending")?;
        let constant = end.to_uppercase();
        list += &format!(
            "/// `{name}`, by a name that changes with its content.\npub(crate) const {constant}: &str = \"{stem}-{hash}.{end}\";\n"
        );
        list += &format!(
            "const {constant}_FILE: Asset = Asset {{ name: {constant}, content_type: {content_type:?}, plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")), gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")) }};\n"
        );
    }
    fs::write(Path::new(&out).join("assets.rs"), list)?;
    Ok(())
}

//! Orders the code of the binary, and strips the white space of the API document, which is committed for people who compare
//! two versions.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    layout::link();
    println!("cargo:rerun-if-changed=openapi.json");
    let document: serde_json::Value = serde_json::from_str(&fs::read_to_string("openapi.json")?)?;
    // Cargo tells a build script by variables.
    #[expect(clippy::disallowed_methods, reason = "this runs when the function is built")]
    let directory = env::var("OUT_DIR")?;
    fs::write(Path::new(&directory).join("openapi.json"), document.to_string())?;
    Ok(())
}

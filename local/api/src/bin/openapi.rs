//! Writes the OpenAPI document to `functions/status/openapi.json`, which the `status` function serves.

use std::{error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/status/openapi.json");
    fs::write(path, api::document_text()?)?;
    Ok(())
}

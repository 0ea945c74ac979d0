//! Serves the stand-in for Descope at a fixed address.

use std::io;

use descope_stand_in::{Descope, PROJECT_ID, Settings};
use stand_in::program;

#[tokio::main]
async fn main() -> io::Result<()> {
    program::serve::<Descope>("Descope", 8100, Settings::default(), &format!("project {PROJECT_ID}")).await
}

//! Serves the stand-in for Descope at a fixed address.
#![expect(
    clippy::disallowed_methods,
    reason = "this is no part of the deployed system, which names its variables in shared"
)]

use std::{env, future, io, net::Ipv4Addr, net::Ipv6Addr, path::PathBuf};

use descope::{PROJECT_ID, Settings, StandIn};

const PORT: &str = "DESCOPE_STAND_IN_PORT";
const STATE: &str = "DESCOPE_STAND_IN_STATE";

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = match env::var(PORT) {
        Ok(port) => port.parse().map_err(|_| io::Error::other(format!("{PORT} must be a port, not {port:?}")))?,
        Err(_) => 8100,
    };
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let file = env::var(STATE).ok().filter(|file| !file.is_empty());
    let stand_in = match &file {
        Some(file) => {
            StandIn::start_keeping(address, Settings::default(), PathBuf::from(file)).await.map_err(|error| {
                if error.kind() == io::ErrorKind::InvalidData {
                    io::Error::other(format!("{file} cannot be read ({error}); delete it to begin anew"))
                } else {
                    error
                }
            })?
        }
        None => StandIn::start_at(address, Settings::default()).await?,
    };
    // Not every machine has it.
    let _ = stand_in.also_at((Ipv6Addr::LOCALHOST, port).into()).await;
    let keeps = file.map(|file| format!(", kept in {file}")).unwrap_or_default();
    println!("Descope stand-in: {}, project {PROJECT_ID}{keeps}", stand_in.url());
    future::pending().await
}

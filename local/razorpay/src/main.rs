//! Serves the stand-in for Razorpay at a fixed address.
#![expect(
    clippy::disallowed_methods,
    reason = "this is no part of the deployed system, which names its variables in shared"
)]

use std::{env, future, io, net::Ipv4Addr, net::Ipv6Addr, path::PathBuf};

use razorpay::{KEY_ID, Settings, StandIn};

const PORT: &str = "RAZORPAY_STAND_IN_PORT";
const STATE: &str = "RAZORPAY_STAND_IN_STATE";
const WEBHOOK_URL: &str = "RAZORPAY_WEBHOOK_URL";

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = match env::var(PORT) {
        Ok(port) => port.parse().map_err(|_| io::Error::other(format!("{PORT} must be a port, not {port:?}")))?,
        Err(_) => 8200,
    };
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let file = given(STATE);
    let webhook_url = given(WEBHOOK_URL);
    let settings = Settings { webhook_url: webhook_url.clone(), ..Settings::default() };
    let stand_in = match &file {
        Some(file) => StandIn::start_keeping(address, settings, PathBuf::from(file)).await.map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                io::Error::other(format!("{file} cannot be read ({error}); delete it to begin anew"))
            } else {
                error
            }
        })?,
        None => StandIn::start_at(address, settings).await?,
    };
    // Not every machine has it.
    let _ = stand_in.also_at((Ipv6Addr::LOCALHOST, port).into()).await;
    let keeps = file.map(|file| format!(", kept in {file}")).unwrap_or_default();
    let tells = webhook_url.map_or_else(|| ", webhooks only recorded".to_owned(), |url| format!(", webhooks to {url}"));
    println!("Razorpay stand-in: {}, key {KEY_ID}{tells}{keeps}", stand_in.url());
    future::pending().await
}

fn given(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

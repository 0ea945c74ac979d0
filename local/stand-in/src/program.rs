//! A stand-in as a standalone program, at a fixed address.
#![expect(
    clippy::disallowed_methods,
    reason = "this is no part of the deployed system, which names its variables in shared"
)]

use std::{env, future, io, net::Ipv4Addr, net::Ipv6Addr, path::PathBuf};

use crate::{Service, StandIn};

/// The value of an environment variable; `None` if unset or empty.
pub fn given(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Serves for ever, at the port in the variable `…_STAND_IN_PORT` or else at `usual`, with the state file in
/// `…_STAND_IN_STATE`. Prints `about` at the start.
pub async fn serve<S: Service>(name: &str, usual: u16, settings: S::Settings, about: &str) -> io::Result<()> {
    let variable = |what: &str| format!("{}_STAND_IN_{what}", name.to_uppercase());
    let port = match env::var(variable("PORT")) {
        Ok(port) => {
            port.parse().map_err(|_| io::Error::other(format!("{} must be a port, not {port:?}", variable("PORT"))))?
        }
        Err(_) => usual,
    };
    let file = given(&variable("STATE"));
    let stand_in =
        StandIn::<S>::start_with((Ipv4Addr::LOCALHOST, port).into(), settings, file.as_ref().map(PathBuf::from))
            .await
            .map_err(|error| match &file {
                Some(file) if error.kind() == io::ErrorKind::InvalidData => {
                    io::Error::other(format!("{file} cannot be read ({error}); delete it to begin anew"))
                }
                _ => error,
            })?;
    // Not every machine has IPv6.
    let _ = stand_in.also_at((Ipv6Addr::LOCALHOST, port).into()).await;
    let keeps = file.map(|file| format!(", kept in {file}")).unwrap_or_default();
    println!("{name} stand-in: {}, {about}{keeps}", stand_in.url());
    future::pending().await
}

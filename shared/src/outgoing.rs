//! Calls to services of others: one client, with time limits.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// From the first byte that is sent to the last that is read.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that rested longer may have been cut while the environment was frozen.
const REST: Duration = Duration::from_secs(20);

/// A client that connects to nothing before its first call. It follows no redirects, since what it sends is secret, and
/// trusts the certificate authorities that are built in, so that no file has to be read at a cold start.
pub fn client() -> Result<Client, reqwest::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|config| config.with_root_certificates(roots).with_no_client_auth());
    let builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_idle_timeout(REST)
        .pool_max_idle_per_host(4)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    match tls {
        Ok(tls) => builder.tls_backend_preconfigured(tls).build(),
        // The provider always knows the protocol versions; should it not, the client says so when it is built.
        Err(_) => builder.build(),
    }
}

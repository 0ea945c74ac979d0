//! The HTTP client for calls to third parties, with timeouts.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// From the start of the request to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle longer may have been cut while the environment was frozen.
const REST: Duration = Duration::from_secs(20);

/// A client that connects lazily. It follows no redirects, because its requests hold secrets, and trusts built-in
/// certificate authorities, so that a cold start reads no file.
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
        // The provider always supports these protocol versions; if it did not, building the client would fail.
        Err(_) => builder.build(),
    }
}

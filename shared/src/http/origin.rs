//! Requests that come through CloudFront: API Gateway sees the address of CloudFront, which tells that of the viewer.

use std::net::IpAddr;

use lambda_http::http::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::config::{self, Live, Settings};

/// Set by CloudFront for the origin; no other caller knows its value.
const SECRET: HeaderName = HeaderName::from_static("x-origin-secret");
/// `address:port`. Set by CloudFront; another caller could send any value.
const VIEWER: HeaderName = HeaderName::from_static("cloudfront-viewer-address");

/// The address of the viewer, as CloudFront tells it: an extension of a request that has the origin's secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer(pub(crate) IpAddr);

/// The secret that CloudFront sends, if the API is behind it.
#[derive(Clone, Debug)]
pub struct Origin(Live<Option<SecretString>>);

impl Origin {
    /// Reads the secret that `ORIGIN_SECRET_ID` names, or `ORIGIN_SECRET`.
    pub fn from_settings(settings: &Settings) -> Self {
        let secret = settings.live(|values| {
            let kept = values.secret(config::ORIGIN_SECRET_ID, "header")?;
            Ok(match kept {
                Some(secret) => Some(secret),
                None => values.optional(config::ORIGIN_SECRET)?.map(SecretString::from),
            })
        });
        Self(secret.unwrap_or_else(|_| Live::fixed(None)))
    }

    /// The viewer of a request, if CloudFront has sent it. While the secret cannot be read none has one.
    pub(super) fn viewer(&self, headers: &HeaderMap) -> Option<Viewer> {
        let (sent, viewer) = (headers.get(SECRET)?, headers.get(VIEWER)?);
        let known = self.0.get().ok()?;
        let is_known = known.as_ref().as_ref()?.expose_secret().trim().as_bytes().ct_eq(sent.as_bytes());
        if !bool::from(is_known) {
            return None;
        }
        let (address, _port) = viewer.to_str().ok()?.rsplit_once(':')?;
        address.trim_matches(['[', ']']).parse().ok().map(Viewer)
    }
}

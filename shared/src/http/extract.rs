//! Extractors whose rejections have the contract's error body.

use std::{net::IpAddr, sync::Arc};

use axum::extract::{FromRequest, FromRequestParts, Request};
use lambda_http::http::{HeaderMap, header, request::Parts};
use serde_json::Value;
use url::Url;

use super::{
    event::Gateway,
    fields::{Fields, Read, type_name},
    origin::Viewer,
    stack::BODY_LIMIT,
    table::Captured,
};
use crate::{Error, Result, config::is_deployed, logging::name_record, text::cleansed};

/// A JSON body. Unknown keys are ignored; an empty body counts as an empty object.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: Read> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|_| Error::PayloadTooLarge)?;
        if bytes.is_empty() {
            return read(Fields::default()).map(Self);
        }
        if !is_json(&parts.headers) {
            return Err(Error::UnsupportedMediaType);
        }
        match serde_json::from_slice(&bytes).map_err(|_| Error::Parse)? {
            Value::Object(values) => read(Fields::new(values)).map(Self),
            other => Err(Error::field(
                "non_field_errors",
                &format!("Invalid data. Expected a dictionary, but got {}.", type_name(&other)),
            )),
        }
    }
}

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: Read> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        read(Fields::from_query(parts.uri.query().unwrap_or_default())).map(Self)
    }
}

/// The id in the path. One that is no integer is answered with 404, like an unknown id.
#[derive(Clone, Copy, Debug)]
pub struct Id<T = i64>(pub T);

impl<S: Send + Sync, T: From<i64>> FromRequestParts<S> for Id<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let captured = parts.extensions.get().and_then(|Captured(text)| text.as_deref());
        let id = captured.and_then(|id| id.parse::<i64>().ok()).ok_or(Error::NotFound("Page"))?;
        name_record(id);
        Ok(Self(id.into()))
    }
}

/// The caller as the rate limits count it: an IPv4 address, or the /64 network of an IPv6 address, which is one
/// household. Taken from API Gateway, because callers can forge `X-Forwarded-For`; behind CloudFront
/// from the address that it tells together with the origin's secret.
#[derive(Clone, Debug)]
pub struct ClientAddress(pub String);

impl ClientAddress {
    /// The network of the address: its /24 for IPv4, its /48 for IPv6.
    pub fn network(&self) -> String {
        if self.0.contains(':') {
            let groups: Vec<&str> = self.0.split(':').take(3).collect();
            format!("{}::/48", groups.join(":"))
        } else {
            self.0.rsplit_once('.').map_or_else(|| self.0.clone(), |(network, _)| format!("{network}.0/24"))
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(source_ip(parts).map_or_else(|| "unknown".to_owned(), |address| network(&address))))
    }
}

/// The host name that API Gateway received the request at, for links to this deployment. Taken from API Gateway, which
/// knows its own names, because callers can forge `Host` and `X-Forwarded-Host`. `None` where no gateway names one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnHost(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for OwnHost {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let gateway = parts.extensions.get::<Arc<Gateway>>();
        let name = gateway.and_then(|gateway| gateway.domain_name.as_deref()).filter(|name| is_name(name));
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|_| !is_deployed());
        Ok(Self(name.map(|name| with_port(name, host))))
    }
}

/// Whether a text can stand in a link as a host name.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    text.len() <= 300 && text.bytes().all(is_plain) && Url::parse(&format!("https://{text}/")).is_ok()
}

/// The gateway on one machine names itself `localhost`, without the port that it was called at.
fn with_port(name: &str, host: Option<&str>) -> String {
    let (called, port) = host.and_then(|host| host.rsplit_once(':')).unwrap_or_default();
    let is_here = name == "localhost" && ["localhost", "127.0.0.1"].contains(&called) && port.parse::<u16>().is_ok();
    if is_here { format!("{name}:{port}") } else { name.to_owned() }
}

/// The device that a request comes from, shown to its user in the list of sessions.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// At most 300 characters of the `User-Agent` header.
    pub user_agent: String,
    /// As API Gateway or CloudFront sees it.
    pub ip_address: String,
}

impl Device {
    pub fn of(parts: &Parts) -> Self {
        let user_agent = parts.headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let user_agent = user_agent.map(|agent| cleansed(&agent).chars().take(300).collect());
        Self { user_agent: user_agent.unwrap_or_default(), ip_address: source_ip(parts).unwrap_or_default() }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Device {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self::of(parts))
    }
}

fn source_ip(parts: &Parts) -> Option<String> {
    if let Some(Viewer(address)) = parts.extensions.get() {
        return Some(address.to_string());
    }
    parts.extensions.get::<Arc<Gateway>>()?.source_ip.clone()
}

fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

fn read<T: Read>(mut fields: Fields) -> Result<T> {
    let value = T::read(&mut fields);
    #[cfg(feature = "openapi")]
    super::fields::record(&fields.asked);
    match value {
        Some(value) if fields.faults.is_empty() => Ok(value),
        _ => Err(Error::Validation(fields.faults)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::{network, with_port};

    #[test]
    fn only_a_port_of_this_machine_is_taken_from_the_header() {
        for here in ["localhost:8000", "127.0.0.1:8000"] {
            assert_eq!(with_port("localhost", Some(here)), "localhost:8000");
        }
        for other in [None, Some("localhost"), Some("localhost.evil:1"), Some("evil:8000"), Some("localhost:x@evil")] {
            assert_eq!(with_port("localhost", other), "localhost");
        }
        assert_eq!(with_port("api.example", Some("localhost:8000")), "api.example");
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one_caller() {
        assert_eq!(network("203.0.113.9"), "203.0.113.9");
        assert_eq!(network("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        let wider = |address: &str| super::ClientAddress(network(address)).network();
        assert_eq!(wider("203.0.113.9"), "203.0.113.0/24");
        assert_eq!(wider("2001:db8:1:2::1"), "2001:db8:1::/48");
        assert_eq!(wider("unknown"), "unknown");
    }
}

//! An event of an API Gateway HTTP API (payload 2.0), read for what the functions use of it.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::{borrow::Cow, fmt, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::Request,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use url::{Position, Url};

/// What API Gateway says of a request beside the request itself: an extension of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gateway {
    /// The request's id in the gateway's access log.
    pub(crate) request_id: Option<String>,
    /// The name at which the gateway received it.
    pub(crate) domain_name: Option<String>,
    /// The address of the caller.
    pub(crate) source_ip: Option<String>,
}

/// A request as Lambda delivers it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(default)]
    raw_path: Option<String>,
    #[serde(default)]
    raw_query_string: Option<String>,
    #[serde(default, deserialize_with = "headers")]
    headers: HeaderMap,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    request_context: RequestContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    domain_name: Option<String>,
    http: Http,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    #[serde(deserialize_with = "method")]
    method: Method,
    #[serde(default)]
    source_ip: Option<String>,
}

impl Event {
    /// The request. A body that is not the base64 that it is said to be stays as it is, and no handler understands it.
    pub(super) fn into_request(self) -> Request {
        let Self { raw_path, raw_query_string, mut headers, cookies, request_context, body, is_base64_encoded } = self;
        let body = body.unwrap_or_default();
        let decoded = is_base64_encoded.then(|| STANDARD.decode(&body).ok()).flatten();
        let body = decoded.map_or_else(|| Bytes::from(body), Bytes::from);
        // API Gateway takes cookies out of the headers.
        if let Some(cookies) = cookies
            && let Ok(cookies) = HeaderValue::from_str(&cookies.join("; "))
        {
            headers.insert(header::COOKIE, cookies);
        }
        let RequestContext { request_id, domain_name, http: Http { method, source_ip } } = request_context;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = target(raw_path.unwrap_or_default(), &raw_query_string.unwrap_or_default());
        *request.headers_mut() = headers;
        request.extensions_mut().insert(Arc::new(Gateway { request_id, domain_name, source_ip }));
        request
    }
}

/// Characters that must be encoded in a query, because a URI cannot hold them.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// The longest path or query. A URI may hold 64 KiB; API Gateway takes a tenth of that for request line and headers.
const LONGEST: usize = 16 * 1024;

/// The path, without a slash at its end, and the query. Paths with and without that slash are one.
fn target(mut path: String, query: &str) -> Uri {
    truncate(&mut path);
    let mut query = utf8_percent_encode(query, NOT_IN_A_QUERY).to_string();
    truncate(&mut query);
    // Dots and percent signs could be `..` in one of its spellings.
    let is_plain =
        path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
    if !is_plain && let Some(cleaned) = cleaned(&path, &mut query) {
        path = cleaned;
    }
    if path.ends_with('/') || path.starts_with("//") {
        path = format!("/{}", path.trim_matches('/'));
    }
    if !query.is_empty() {
        path.push('?');
        path.push_str(&query);
    }
    // What is still no URI becomes `/`.
    Uri::try_from(path).unwrap_or_default()
}

/// A path as a URL has it: encoded, without `.` and `..`. A question mark in it begins the query, a hash ends both.
fn cleaned(path: &str, query: &mut String) -> Option<String> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let url = Url::parse(&format!("https://localhost{slash}{path}")).ok()?;
    if url.fragment().is_some() {
        query.clear();
    }
    if let Some(early) = url.query() {
        *query = if query.is_empty() { early.to_owned() } else { format!("{early}?{query}") };
    }
    Some(url[Position::BeforePath..Position::AfterPath].to_owned())
}

fn truncate(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST));
}

/// A text that is copied only if it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
    let Text(method) = Text::deserialize(deserializer)?;
    Method::from_bytes(method.as_bytes()).map_err(D::Error::custom)
}

fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    deserializer.deserialize_option(Headers)
}

struct Headers;

impl<'de> Visitor<'de> for Headers {
    type Value = HeaderMap;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of headers")
    }

    fn visit_none<E>(self) -> Result<HeaderMap, E> {
        Ok(HeaderMap::new())
    }

    fn visit_unit<E>(self) -> Result<HeaderMap, E> {
        Ok(HeaderMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<HeaderMap, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<HeaderMap, M::Error> {
        let mut headers = HeaderMap::with_capacity(24);
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(M::Error::custom)?;
            headers.insert(name, HeaderValue::from_str(&value).map_err(M::Error::custom)?);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_path_is_what_a_url_makes_of_it_without_a_slash_at_its_end() {
        for (path, query, expected) in [
            ("/api/bookings/", "", "/api/bookings"),
            ("/api/bookings", "page=2", "/api/bookings?page=2"),
            ("", "", "/"),
            ("//api//", "", "/api"),
            ("api", "", "/api"),
            ("/a b/ü", "x= \"#<>ü", "/a%20b/%C3%BC?x=%20%22%23%3C%3E%C3%BC"),
            ("/a/../b/%2e%2E/c.", "", "/c."),
            ("/a?b", "c", "/a?b?c"),
            ("/a#b", "c", "/a"),
            ("/a\\b", "", "/a/b"),
        ] {
            assert_eq!(target(path.to_owned(), query).to_string(), expected, "{path} {query}");
        }
        assert_eq!(target("/x".repeat(40_000), &"y".repeat(40_000)).path().len(), 16 * 1024);
    }
}

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
use serde_json::value::RawValue;
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
#[derive(Debug)]
pub struct Event(Request);

impl Event {
    pub(super) fn into_request(self) -> Request {
        self.0
    }
}

impl<'de> Deserialize<'de> for Event {
    /// Takes the text first. The runtime reads events through a tracker of paths, which copies each name that it meets; and
    /// headers then share the text instead of being copied.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Box<str> = Box::<RawValue>::deserialize(deserializer)?.into();
        request(&Bytes::from(text.into_boxed_bytes())).map(Self).map_err(D::Error::custom)
    }
}

/// The members of an event that the functions use.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    #[serde(default, borrow)]
    raw_path: Option<Text<'a>>,
    #[serde(default, borrow)]
    raw_query_string: Option<Text<'a>>,
    #[serde(default, borrow)]
    headers: Option<Pairs<'a>>,
    #[serde(default, borrow)]
    cookies: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    request_context: RequestContext<'a>,
    #[serde(default, borrow)]
    body: Option<Text<'a>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    domain_name: Option<String>,
    #[serde(borrow)]
    http: Http<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    #[serde(borrow)]
    method: Text<'a>,
    #[serde(default)]
    source_ip: Option<String>,
}

/// The request of an event. A body that is not the base64 that it is said to be stays as it is, and no handler understands it.
fn request(text: &Bytes) -> Result<Request, Box<dyn std::error::Error>> {
    let Sent { raw_path, raw_query_string, headers, cookies, request_context, body, is_base64_encoded } =
        serde_json::from_str(str::from_utf8(text)?)?;
    let RequestContext { request_id, domain_name, http: Http { method, source_ip } } = request_context;
    let body = body.map(|body| body.shared(text)).unwrap_or_default();
    let decoded = is_base64_encoded.then(|| STANDARD.decode(&body).ok()).flatten();
    let mut request = Request::new(Body::from(decoded.map_or(body, Bytes::from)));
    *request.method_mut() = Method::from_bytes(method.0.as_bytes())?;
    let path = raw_path.map(|path| path.0.into_owned()).unwrap_or_default();
    *request.uri_mut() = target(path, raw_query_string.as_ref().map_or("", |query| &query.0));
    let Pairs(pairs) = headers.unwrap_or_default();
    let mut headers = HeaderMap::with_capacity(pairs.len() + 2);
    for (name, value) in pairs {
        headers.insert(HeaderName::from_bytes(name.0.as_bytes())?, HeaderValue::from_maybe_shared(value.shared(text))?);
    }
    // API Gateway takes cookies out of the headers.
    if let Some(cookies) = cookies {
        let cookies: Vec<&str> = cookies.iter().map(|cookie| &*cookie.0).collect();
        if let Ok(cookies) = HeaderValue::from_str(&cookies.join("; ")) {
            headers.insert(header::COOKIE, cookies);
        }
    }
    *request.headers_mut() = headers;
    request.extensions_mut().insert(Arc::new(Gateway { request_id, domain_name, source_ip }));
    Ok(request)
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

impl Text<'_> {
    /// The text as a part of the `whole` that it was read from.
    fn shared(self, whole: &Bytes) -> Bytes {
        match self.0 {
            Cow::Borrowed(part) => whole.slice_ref(part.as_bytes()),
            Cow::Owned(text) => Bytes::from(text),
        }
    }
}

/// The members of an object in their order.
#[derive(Default)]
struct Pairs<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of texts")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs<'de>, M::Error> {
        let mut pairs = Vec::with_capacity(24);
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
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

//! One log line per request, the request's id, and repeated response headers joined so that Lambda does not drop them.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{extract::Request, response::Response};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tracing::{Level, enabled, info};

use super::{
    event::Gateway,
    failure::{self, Answers},
};
use crate::{
    logging,
    metrics::{self, Count},
};

/// The header with the id that a request has in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers of every answer that does not set them itself: no browser guesses a type, calls without TLS, or tells other
/// hosts an address with a booking's token.
const HEADERS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=31536000"),
    ("referrer-policy", "no-referrer"),
];

static IS_WARM: AtomicBool = AtomicBool::new(false);

/// The id of a request, as its log lines have it: an extension of the request.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Where the path of the route that a request takes is noted: an extension of the request.
#[derive(Clone, Default)]
pub(super) struct Taken(pub(super) Arc<OnceLock<Arc<str>>>);

/// Completes and logs what `answer` makes of a request.
pub(super) async fn observe(
    answers: Answers,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let started = Instant::now();
    let is_warm = IS_WARM.swap(true, Ordering::Relaxed);
    if !is_warm {
        metrics::count(Count::ColdStarts);
    }
    let start = if is_warm { "warm" } else { "cold" };
    let gateway_id = gateway_id(&request);
    let sent = request.headers().get(&REQUEST_ID).filter(|id| is_sane(id)).cloned();
    let id = sent.or_else(|| gateway_id.clone()).unwrap_or_else(new_id);
    let method = request.method().clone();
    let is_flat = matches!(answers, Answers::Json) && is_below(request.uri().path(), "/api/auth");
    let answers = if is_flat { Answers::Flat } else { answers };
    let text = |id: &HeaderValue| id.to_str().unwrap_or_default().to_owned();
    let known = logging::Request::new(text(&id), gateway_id.as_ref().map(text));
    let taken = Taken::default();
    request.extensions_mut().insert(taken.clone());
    request.extensions_mut().insert(RequestId(text(&id)));
    known
        .scope(async {
            let mut response = answer(request).await;
            failure::render(&mut response, answers);
            let own = if let Answers::Pages { headers, .. } = answers { headers } else { &[] };
            for (name, value) in own.iter().chain(&HEADERS) {
                response.headers_mut().entry(*name).or_insert(HeaderValue::from_static(value));
            }
            response.headers_mut().insert(REQUEST_ID, id);
            join_repeated(response.headers_mut());
            let route = taken.0.get().map_or("unmatched", AsRef::as_ref);
            answered(&method, route, response.status().as_u16(), start, started.elapsed());
            response
        })
        .await
}

/// Writes the line of a request, with its metrics.
fn answered(method: &Method, route: &str, status: u16, start: &str, latency: Duration) {
    let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    let method = method.as_str();
    let metrics = metrics::request(method, route, status, latency);
    if enabled!(Level::INFO) {
        info!(metrics, method, route, status, milliseconds, start, "request answered");
    } else if let Some(metrics) = metrics {
        metrics::write(&metrics);
    }
}

/// Whether a path is this one or one below it.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The request's id in the gateway's access log.
fn gateway_id(request: &Request) -> Option<HeaderValue> {
    let gateway = request.extensions().get::<Arc<Gateway>>()?;
    HeaderValue::from_str(gateway.request_id.as_deref()?).ok().filter(is_sane)
}

/// Whether an id can be logged and sent back unchanged.
fn is_sane(id: &HeaderValue) -> bool {
    (1..=128).contains(&id.len())
        && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte))
}

fn new_id() -> HeaderValue {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    let id = format!("{:032x}", u128::from_be_bytes(bytes));
    HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

/// Lambda passes on only the first value of a repeated header.
fn join_repeated(headers: &mut HeaderMap) {
    if headers.len() == headers.keys_len() {
        return;
    }
    // The values of a name follow each other.
    let repeats = headers.iter().zip(headers.iter().skip(1)).filter(|((name, _), (next, _))| name == next);
    let mut names: Vec<HeaderName> = repeats.map(|((name, _), _)| name.clone()).collect();
    names.dedup();
    for name in names.iter().filter(|name| *name != header::SET_COOKIE) {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&values.join(b", ".as_slice())) {
            headers.insert(name, joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_header_becomes_one_and_cookies_stay_apart() {
        let mut headers = HeaderMap::new();
        for value in ["origin", "accept"] {
            headers.append(header::VARY, HeaderValue::from_static(value));
            headers.append(header::SET_COOKIE, HeaderValue::from_static(value));
        }
        join_repeated(&mut headers);
        assert_eq!(headers.get_all(header::VARY).iter().collect::<Vec<_>>(), ["origin, accept"]);
        assert_eq!(headers.get_all(header::SET_COOKIE).iter().collect::<Vec<_>>(), ["origin", "accept"]);
    }
}

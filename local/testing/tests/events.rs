//! Property tests: events are read and answers are written as `lambda_http` does it, which the functions used before.
#![expect(clippy::disallowed_methods, clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
    routing,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use lambda_http::{
    Adapter, Context, LambdaEvent,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    request::LambdaRequest,
};
use proptest::{collection::vec, prelude::*, sample::select, test_runner::Config};
use serde_json::{Value, json};
use shared::{
    config::Settings,
    database::Database,
    http::{Edge, Event, Routes, handler},
};
use sqlx::postgres::PgConnectOptions;
use tower::{Layer, Service};
use tower_http::normalize_path::NormalizePathLayer;

/// Headers that the functions add to each answer, and the one that API Gateway sets itself.
const OTHERS: [&str; 6] = [
    "content-length",
    "referrer-policy",
    "strict-transport-security",
    "vary",
    "x-content-type-options",
    "x-request-id",
];

const METHODS: [&str; 7] = ["GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "PURGE"];

/// What a handler answers.
#[derive(Clone, Debug)]
struct Planned {
    status: u16,
    headers: Vec<(String, String)>,
    /// What follows the request in the body.
    end: Vec<u8>,
    /// Whether the body begins with what the handler has read.
    is_echo: bool,
}

/// What is left of an answer once API Gateway has decoded it.
#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    status: u64,
    headers: BTreeMap<String, String>,
    cookies: Vec<String>,
    body: Vec<u8>,
}

fn decoded(answer: &Value) -> Decoded {
    let body = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"] == true { STANDARD.decode(body).unwrap() } else { body.into() };
    let headers: BTreeMap<String, String> = serde_json::from_value(answer["headers"].clone()).unwrap();
    Decoded {
        status: answer["statusCode"].as_u64().unwrap(),
        headers: headers.into_iter().filter(|(name, _)| !OTHERS.contains(&name.as_str())).collect(),
        cookies: serde_json::from_value(answer["cookies"].clone()).unwrap_or_default(),
        body,
    }
}

/// Tells what was read of a request.
fn telling(planned: Planned) -> impl Fn(Request) -> BoxFuture<'static, Response> + Clone + Send + Sync + 'static {
    move |request| {
        let planned = planned.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let sent: Vec<(&str, &str)> =
                parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
            let read = json!({
                "method": parts.method.as_str(), "path": parts.uri.path(), "query": parts.uri.query().unwrap_or_default(),
                "headers": sent.into_iter().collect::<BTreeMap<_, _>>(),
                "body": STANDARD.encode(to_bytes(body, usize::MAX).await.unwrap()),
            });
            let mut bytes = if planned.is_echo { read.to_string().into_bytes() } else { Vec::new() };
            bytes.extend(&planned.end);
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = StatusCode::from_u16(planned.status).unwrap();
            for (name, value) in &planned.headers {
                let name = HeaderName::try_from(name).unwrap();
                response.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
            }
            response
        })
    }
}

async fn ours(event: &str, planned: Planned) -> Decoded {
    let edge = Edge::new(Settings::default(), Database::new(PgConnectOptions::new()));
    let payload: Event = serde_json::from_str(event).unwrap();
    let tell = telling(planned);
    let methods = METHODS.into_iter().map(|method| Method::from_bytes(method.as_bytes()).unwrap());
    let routes = methods.fold(Routes::new(), |routes, method| {
        routes.on(method.clone(), "/", tell.clone()).on(method, "/{*rest}", tell.clone())
    });
    let mut service = handler(routes, edge);
    let answer = service.call(LambdaEvent { payload, context: Context::default() }).await.unwrap();
    decoded(&serde_json::to_value(answer).unwrap())
}

async fn theirs(event: &str, planned: Planned) -> Decoded {
    let payload: LambdaRequest = serde_json::from_str(event).unwrap();
    let tell = routing::any(telling(planned));
    let router = Router::new().route("/", tell.clone()).route("/{*rest}", tell);
    let mut service = Adapter::from(NormalizePathLayer::trim_trailing_slash().layer(router));
    let answer = service.call(LambdaEvent { payload, context: Context::default() }).await.unwrap();
    decoded(&serde_json::to_value(answer).unwrap())
}

/// An event whose URI `lambda_http` can build: it panics at others.
fn event() -> impl Strategy<Value = Value> {
    let plain = "(/[a-z0-9_-]{0,8}){0,4}/?";
    let odd = "/[ -~ä€😀]{0,30}";
    let path = prop_oneof![
        plain,
        odd,
        select(vec!["/api/bookings/7/", "//", "/a/../b/", "/%2e%2e/x", "/a//b"]).prop_map(str::to_owned)
    ];
    let query = "[!$-;=?-\\]_a-z~]{0,40}";
    let names =
        select(vec!["accept", "authorization", "content-type", "if-none-match", "user-agent", "x-api-key", "x-a"]);
    let headers = vec((names, "[ -~]{0,30}"), 0..6);
    let cookies = proptest::option::of(vec("[a-z]{1,5}=[!-+.-:<-~]{0,9}", 0..3));
    let body = prop_oneof![
        Just((Value::Null, false)),
        any::<String>().prop_map(|text| (json!(text), false)),
        vec(any::<u8>(), 0..60).prop_map(|bytes| (json!(STANDARD.encode(bytes)), true)),
    ];
    let method = select(METHODS.to_vec());
    (method, path, query, headers, cookies, body).prop_map(|(method, path, query, headers, cookies, (body, is_base64))| {
        let mut headers: BTreeMap<&str, String> = headers.into_iter().collect();
        headers.insert("host", "api.example".to_owned());
        // The functions ignore the body of a read.
        let (body, is_base64) =
            if ["POST", "PATCH", "DELETE", "PURGE"].contains(&method) { (body, is_base64) } else { (Value::Null, false) };
        let mut event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
            "requestContext": {
                "accountId": "1", "apiId": "api", "domainName": "api.example", "requestId": "r", "routeKey": "$default",
                "stage": "$default", "time": "22/Nov/2026:09:00:00 +0000", "timeEpoch": 1_795_338_000_000_i64,
                "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t" },
            },
            "body": body, "isBase64Encoded": is_base64,
        });
        if let Some(cookies) = cookies {
            event["cookies"] = json!(cookies);
        }
        event
    })
}

fn planned() -> impl Strategy<Value = Planned> {
    let kinds =
        vec!["application/json", "text/html; charset=utf-8", "image/png", "application/problem+json", "text/csv"];
    let kind = proptest::option::of(select(kinds));
    let headers = vec((select(vec!["etag", "location", "set-cookie", "set-cookie", "x-b"]), "[!-~]{1,20}"), 0..5);
    let text = any::<String>().prop_map(String::into_bytes);
    (200_u16..=599, kind, headers, prop_oneof![text, vec(any::<u8>(), 0..80)], any::<bool>()).prop_map(
        |(status, kind, headers, end, is_echo)| {
            let mut once = BTreeSet::new();
            let mut headers: Vec<(String, String)> = headers
                .into_iter()
                .filter(|(name, _)| *name == "set-cookie" || once.insert(*name))
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            // Bytes that are no text have a type that says so, as handlers do it: `lambda_http` would replace them.
            let is_text = str::from_utf8(&end).is_ok_and(|text| !text.starts_with('\u{feff}'));
            let kind = if is_text { kind } else { Some("image/png") };
            headers.extend(kind.map(|kind| (header::CONTENT_TYPE.to_string(), kind.to_owned())));
            Planned { status, headers, end, is_echo }
        },
    )
}

proptest! {
    #![proptest_config(Config {
        failure_persistence: None, cases: Config::default().cases.max(1000), ..Config::default()
    })]

    #[test]
    fn an_event_is_read_and_an_answer_is_written_as_lambda_http_does_it(event in event(), planned in planned()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let event = event.to_string();
        let (ours, theirs) = runtime.block_on(async {
            (ours(&event, planned.clone()).await, theirs(&event, planned).await)
        });
        prop_assert_eq!(ours, theirs);
    }
}

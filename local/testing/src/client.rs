//! A client whose requests reach a function as API Gateway delivers them: as events of payload format 2.0.

use std::{
    collections::BTreeMap,
    future::Future,
    io::Read,
    pin::Pin,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tower::Service;

use shared::{
    config::Settings,
    database::Database,
    http::{DEADLINE, Edge, Event, Routes, handler},
};

/// The allowed CORS origin.
pub const ORIGIN: &str = "http://localhost:3000";

type Handler = dyn Fn(Value) -> Pin<Box<dyn Future<Output = Value>>>;

/// The host name at which API Gateway receives the requests of a [`Client`].
const HOST: &str = "api.example";

/// A client of one function. [`Client::at`], [`Client::with`], [`Client::without`] and [`Client::received_at`]
/// return a changed copy.
#[derive(Clone)]
pub struct Client {
    handler: Rc<Handler>,
    address: String,
    host: Option<String>,
    headers: BTreeMap<String, String>,
}

/// The answer of a function.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Names are in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as it was sent.
    pub text: String,
    /// The body as JSON; null if it is not JSON.
    pub body: Value,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The body's bytes, also where it is no text.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header; empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The text of a compressed body.
    pub fn unpacked(&self) -> String {
        let mut text = String::new();
        GzDecoder::new(self.bytes.as_slice()).read_to_string(&mut text).unwrap();
        text
    }
}

impl Client {
    /// A client of this router behind all outer layers.
    pub fn new(router: Routes, database: Database) -> Self {
        Self::within(router, database, DEADLINE)
    }

    /// Like [`Client::new`], with another deadline.
    pub fn within(router: Routes, database: Database, deadline: Duration) -> Self {
        let cors_allowed_origins = Some(vec![ORIGIN.to_owned()]);
        Self::behind(router, Edge { cors_allowed_origins, deadline, ..Edge::new(Settings::default(), database) })
    }

    /// Like [`Client::new`], with other outer layers.
    pub fn behind(router: Routes, edge: Edge) -> Self {
        // Shows the log of the function if the test fails.
        let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init();
        let handler = handler(router, edge);
        let handler = Rc::new(move |event: Value| -> Pin<Box<dyn Future<Output = Value>>> {
            let mut handler = handler.clone();
            Box::pin(async move {
                let payload: Event = serde_json::from_value(event).expect("the event is one of API Gateway");
                let answer = handler.call(LambdaEvent { payload, context: Context::default() }).await;
                serde_json::to_value(answer.expect("a function always answers")).unwrap()
            })
        });
        Self { handler, address: "203.0.113.9".to_owned(), host: Some(HOST.to_owned()), headers: BTreeMap::new() }
    }

    /// The same client at another IP address.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        Self { address: address.to_owned(), ..self.clone() }
    }

    /// The same client of a gateway that gives itself this name, or none.
    #[must_use]
    pub fn received_at(&self, host: Option<&str>) -> Self {
        Self { host: host.map(ToOwned::to_owned), ..self.clone() }
    }

    /// The same client with one more header.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.insert(name.to_lowercase(), value.to_owned());
        client
    }

    /// The same client without a header.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut client = self.clone();
        client.headers.remove(&name.to_lowercase());
        client
    }

    /// `GET`; the path may hold a query.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.with_default("content-type", "application/json").send("POST", path, Some(&body.to_string())).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with_default("content-type", "application/json").send("PATCH", path, Some(&body.to_string())).await
    }

    /// `POST` of a form, as a browser sends it.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.with_default("content-type", "application/x-www-form-urlencoded").send("POST", path, Some(&body)).await
    }

    /// `POST` of a form with a file, as a browser sends it.
    pub async fn upload(&self, path: &str, field: &str, file: &[u8]) -> Answer {
        let head = format!(
            "--frontier\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"file.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        );
        let body = STANDARD.encode([head.as_bytes(), file, b"\r\n--frontier--\r\n"].concat());
        self.with("content-type", "multipart/form-data; boundary=frontier")
            .deliver("POST", path, Some(&body), true)
            .await
    }

    /// Any request.
    pub async fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        self.deliver(method, path, body, false).await
    }

    async fn deliver(&self, method: &str, path: &str, body: Option<&str>, is_base64: bool) -> Answer {
        static REQUESTS: AtomicU64 = AtomicU64::new(0);
        let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut headers = self.headers.clone();
        let cookies: Vec<String> =
            headers.remove("cookie").iter().flat_map(|all| all.split("; ")).map(ToOwned::to_owned).collect();
        self.event(json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "headers": headers,
            "cookies": cookies,
            "requestContext": {
                "accountId": "1", "apiId": "api", "domainName": self.host, "requestId": format!("gateway-{number}="),
                "routeKey": "$default", "stage": "$default",
                "time": "22/Nov/2026:09:00:00 +0000", "timeEpoch": 1_795_338_000_000_i64,
                "http": {
                    "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": self.address,
                    "userAgent": "test"
                }
            },
            "body": body, "isBase64Encoded": is_base64,
        }))
        .await
    }

    /// An event as it is, for what does not come from the gateway.
    pub async fn event(&self, event: Value) -> Answer {
        let answer = (self.handler)(event).await;
        let sent = answer["body"].as_str().unwrap_or_default();
        let bytes = if answer["isBase64Encoded"] == true { STANDARD.decode(sent).unwrap() } else { sent.into() };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status: u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap(),
            headers: serde_json::from_value(answer["headers"].clone()).unwrap(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            cookies: serde_json::from_value(answer["cookies"].clone()).unwrap_or_default(),
            text,
            bytes,
        }
    }

    fn with_default(&self, name: &str, value: &str) -> Self {
        if self.headers.contains_key(name) { self.clone() } else { self.with(name, value) }
    }
}

//! What a function is asked: a request as API Gateway delivers it, an event of payload format 2.0, or an event of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Result,
    instance::{Answer, Instance},
};

/// The header with the client's address.
const ADDRESS: &str = "x-forwarded-for";

/// A request to a function.
#[derive(Clone, Debug)]
pub struct Request {
    /// The event of a function that answers no HTTP, instead of all that follows.
    own: Option<Value>,
    method: &'static str,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// The expected status; any other ends the measurement.
    status: u64,
}

impl Request {
    /// `GET`; the path may have a query. The expected status is 200.
    pub fn get(path: impl Into<String>) -> Self {
        // The headers of a mobile browser, and those that the gateway adds.
        let headers = [
            ("accept", "application/json"),
            ("accept-encoding", "gzip, deflate, br"),
            ("accept-language", "en-IN,en;q=0.9"),
            ("content-length", "0"),
            ("host", "api.example"),
            ("origin", "http://localhost:3000"),
            ("referer", "http://localhost:3000/"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", "cross-site"),
            (
                "user-agent",
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile",
            ),
            ("x-amzn-trace-id", "Root=1-00000000-000000000000000000000000"),
            (ADDRESS, "203.0.113.9"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-proto", "https"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { own: None, method: "GET", path: path.into(), headers, body: None, status: 200 }
    }

    /// An event of a function that answers no HTTP: a job, or a task of a deployer.
    pub(crate) fn event_of_its_own(event: Value) -> Self {
        Self { own: Some(event), ..Self::get("") }
    }

    /// `POST` with a JSON body. The expected status is 200.
    pub fn post(path: &str, body: &Value) -> Self {
        Self::post_text(path, body.to_string())
    }

    /// The same with this text as it is: a signature is over its bytes.
    pub(crate) fn post_text(path: &str, body: String) -> Self {
        let length = body.len().to_string();
        let request = Self::get(path).with("content-type", "application/json").with("content-length", &length);
        Self { method: "POST", body: Some(body), ..request }
    }

    /// The same with one more header, its name in lower case.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same with another expected status.
    #[must_use]
    pub fn answered_with(self, status: u64) -> Self {
        Self { status, ..self }
    }

    /// The same with a text of the body replaced.
    #[must_use]
    pub fn replacing(&self, words: &str, others: &str) -> Self {
        Self { body: self.body.as_ref().map(|body| body.replace(words, others)), ..self.clone() }
    }

    /// The same from another client.
    #[must_use]
    pub fn from_address(self, address: &str) -> Self {
        self.with(ADDRESS, address)
    }

    /// The request over HTTP, as a proxy sends it.
    pub fn http(&self) -> String {
        let first = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let headers = self.headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]);
        let last = ["connection: close\r\n\r\n", self.body.as_deref().unwrap_or_default()];
        [first.as_str()].into_iter().chain(headers).chain(last).collect()
    }

    /// The request as an event.
    pub fn event(&self) -> String {
        if let Some(own) = &self.own {
            return own.to_string();
        }
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "headers": self.headers,
            "requestContext": {
                "accountId": "000000000000", "apiId": "api", "domainName": "api.example", "domainPrefix": "api",
                "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
                "time": "22/Nov/2026:09:00:00 +0000", "timeEpoch": 1_795_338_000_000_i64,
                "http": {
                    "method": self.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": self.headers.get(ADDRESS),
                    "userAgent": "Mozilla/5.0"
                }
            },
            "body": self.body, "isBase64Encoded": false,
        })
        .to_string()
    }

    /// Has a function answer it. Refuses an answer with an unexpected status: a fast error must not count as a fast answer.
    pub async fn send_to(&self, function: &mut Instance) -> Result<Answer> {
        let answer = function.invoke(self.event()).await?;
        self.check(&answer)?;
        Ok(answer)
    }

    /// The status and the raw body of an answer.
    pub fn outcome(answer: &Answer) -> (u64, &str) {
        let status = answer.body.get("statusCode").and_then(Value::as_u64).unwrap_or_default();
        (status, answer.body.get("body").and_then(Value::as_str).unwrap_or_default())
    }

    /// Refuses an answer with an unexpected status: a fast error must not count as a fast answer.
    pub fn check(&self, answer: &Answer) -> Result<()> {
        if self.own.is_some() {
            // It has failed, or is as it should be.
            return Ok(());
        }
        let (status, body) = Self::outcome(answer);
        self.check_status(status, body)
    }

    /// The same by status and body.
    pub(crate) fn check_status(&self, status: u64, body: &str) -> Result<()> {
        if status == self.status {
            return Ok(());
        }
        Err(format!("{} {} was answered with {status}: {body}", self.method, self.path).into())
    }
}

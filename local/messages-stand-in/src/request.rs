//! A parsed call, and what answers it.

use axum::{body, http::HeaderMap};
use serde_json::Value;

/// Larger than the largest mail that SES takes without being asked (10 MB, and base64).
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// A carrier's answer: status and body.
pub(crate) type Answer = (u16, Value);

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Null where there is no JSON.
    pub(crate) body: Value,
    headers: HeaderMap,
    query: Vec<(String, String)>,
}

impl Request {
    pub(crate) async fn read(request: axum::extract::Request) -> Self {
        let (parts, body) = request.into_parts();
        let bytes = body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
        let query = parts.uri.query().unwrap_or_default();
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: parts.headers,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A text of the body, by JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

//! An answer as Lambda sends it: the object that an API Gateway HTTP API makes a response of.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use axum::{
    body::{self, Bytes},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};
use serde_json::value::RawValue;

/// How a body is written: an extension of a response whose body is ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Bytes of any kind.
    Plain,
    /// A string of JSON, with its quotes.
    Json,
    Base64,
}

/// A response, written by [`Serialize`].
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    written: Written,
}

impl Answer {
    pub(super) async fn of(response: Response) -> Self {
        let (mut parts, body) = response.into_parts();
        // API Gateway counts what it sends. The router has counted what it answered, before it was rendered or compressed.
        parts.headers.remove(header::CONTENT_LENGTH);
        // Bodies are made in memory, so they neither fail nor end early.
        let body = body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let written = parts.extensions.get().copied().unwrap_or(Written::Plain);
        Self { status: parts.status, headers: parts.headers, body, written }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("statusCode", &self.status.as_u16())?;
        object.serialize_entry("headers", &Headers(&self.headers))?;
        let cookies = self.headers.get_all(header::SET_COOKIE);
        if cookies.iter().next().is_some() {
            let cookies: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.to_str().ok()).collect();
            object.serialize_entry("cookies", &cookies)?;
        }
        let is_encoded = self.headers.contains_key(header::CONTENT_ENCODING);
        let text = str::from_utf8(&self.body).ok();
        let is_base64 = match (self.written, text) {
            // The router drops the body of an answer to `HEAD`.
            (Written::Json, Some(string)) if !string.is_empty() => {
                let string: &RawValue = serde_json::from_str(string).map_err(S::Error::custom)?;
                object.serialize_entry("body", string)?;
                false
            }
            (Written::Base64, Some(text)) => {
                object.serialize_entry("body", text)?;
                true
            }
            (_, Some(text)) if !is_encoded => {
                object.serialize_entry("body", text)?;
                false
            }
            _ => {
                object.serialize_entry("body", &STANDARD.encode(&self.body))?;
                true
            }
        };
        object.serialize_entry("isBase64Encoded", &is_base64)?;
        object.end()
    }
}

/// Headers that occur once each; cookies have a member of their own.
struct Headers<'a>(&'a HeaderMap);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter().filter(|(name, _)| *name != header::SET_COOKIE) {
            match value.to_str() {
                Ok(value) => object.serialize_entry(name.as_str(), value)?,
                Err(_) => object.serialize_entry(name.as_str(), &text(value))?,
            }
        }
        object.end()
    }
}

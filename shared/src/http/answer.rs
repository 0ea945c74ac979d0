//! An answer as Lambda sends it: the object that an API Gateway HTTP API makes a response of.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use axum::{
    body::{self, Bytes},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A response, written by [`Serialize`].
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(super) async fn of(response: Response) -> Self {
        let (mut parts, body) = response.into_parts();
        // API Gateway counts what it sends. The router has counted what it answered, before it was rendered or compressed.
        parts.headers.remove(header::CONTENT_LENGTH);
        // Bodies are made in memory, so they neither fail nor end early.
        let body = body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        Self { status: parts.status, headers: parts.headers, body }
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
        match str::from_utf8(&self.body) {
            Ok(text) if !self.headers.contains_key(header::CONTENT_ENCODING) => {
                object.serialize_entry("body", text)?;
                object.serialize_entry("isBase64Encoded", &false)?;
            }
            _ => {
                object.serialize_entry("body", &STANDARD.encode(&self.body))?;
                object.serialize_entry("isBase64Encoded", &true)?;
            }
        }
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

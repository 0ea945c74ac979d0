//! An entry of the cache, as it is found in Redis: `version`, validator and body, a line each.

use std::fmt::Write;

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::http::{HeaderValue, header};

use crate::{
    Error, Result,
    http::{BY_ENCODING, GZIP, Written, etag, gzip},
};

/// How the body of an entry is encoded. Each is an entry of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    pub(super) const ALL: [Self; 2] = [Self::Identity, Self::Gzip];

    /// What the key of the entry ends with.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => ":gzip",
        }
    }
}

/// A body as Lambda sends it: nothing is left to be escaped, compressed or hashed.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    coding: Coding,
    /// The validator of the JSON, in whichever encoding it is sent.
    pub(super) etag: Bytes,
    /// A string of JSON with its quotes, or base64.
    body: Bytes,
}

impl Ready {
    pub(super) fn new(json: &[u8], coding: Coding) -> Result<Self> {
        let body = match coding {
            Coding::Identity => {
                let text = str::from_utf8(json).map_err(Error::internal)?;
                serde_json::to_vec(text).map_err(Error::internal)?
            }
            Coding::Gzip => STANDARD.encode(gzip(json)).into_bytes(),
        };
        Ok(Self { coding, etag: etag(json).into(), body: body.into() })
    }

    /// The JSON of an entry that is not compressed.
    pub(super) fn json(&self) -> Result<String> {
        serde_json::from_slice(&self.body).map_err(Error::internal)
    }

    /// The entry that Redis keeps.
    pub(super) fn entry(&self, version: i64) -> Vec<u8> {
        let mut line = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(line, "{version}");
        [line.as_bytes(), &self.etag, b"\n", &self.body].concat()
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        // For those of the edge too: growing would hash them all again.
        response.headers_mut().reserve(16);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(header::VARY, BY_ENCODING);
        let written = match self.coding {
            Coding::Identity => Written::Json,
            Coding::Gzip => {
                response.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
                Written::Base64
            }
        };
        response.extensions_mut().insert(written);
        response
    }
}

/// The state of an entry in Redis.
pub(super) enum CacheEntry {
    /// The entry, made from the current version.
    Current(Ready),
    /// No entry of the current version.
    Missing {
        /// The version, if Redis holds one.
        version: Option<i64>,
    },
    /// The catalogue is being changed: data that is loaded now must not be cached.
    Changing,
}

impl CacheEntry {
    pub(super) fn new(coding: Coding, version: Option<String>, entry: Option<Vec<u8>>) -> Self {
        let Some(version) = version else {
            return Self::Missing { version: None };
        };
        let Ok(number) = version.parse() else {
            return Self::Changing;
        };
        let of_this_version = |entry: Vec<u8>| {
            let entry = Bytes::from(entry);
            let start = version.len() + 1;
            let is_current = entry.starts_with(version.as_bytes()) && entry.get(version.len()) == Some(&b'\n');
            let length = entry.get(start..).filter(|_| is_current)?.iter().position(|byte| *byte == b'\n')?;
            let end = start + length;
            Some(Ready { coding, etag: entry.slice(start..end), body: entry.slice(end + 1..) })
        };
        entry.and_then(of_this_version).map_or(Self::Missing { version: Some(number) }, Self::Current)
    }
}

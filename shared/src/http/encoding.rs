//! Compressed bodies: gzip for clients that take it, and what that changes in `Vary` and `ETag`.

use std::io::Write;

use axum::{
    body::{self, Body, HttpBody},
    extract::Request,
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::envelope::ready;

/// Bodies below this size, in bytes, are sent as they are: they fit into one packet either way.
const SMALLEST: u64 = 1024;
/// For bodies that are compressed anew each time: level 3 takes a third of the time of level 6, for an eighth more bytes.
const FAST: u32 = 3;
/// What the validator of a compressed body ends with: its bytes are others (RFC 9110 §8.8.3.3).
const SUFFIX: &str = "-gzip\"";

pub(crate) const GZIP: HeaderValue = HeaderValue::from_static("gzip");
pub(crate) const BY_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// Whether a client takes gzip (RFC 9110 §12.5.3). One that does not say so gets bodies as they are.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight != Some(0.0)
    })
}

/// Compresses as far as it goes, for what is kept.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    compressed(bytes, Compression::best())
}

fn compressed(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), level);
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// JSON that is compressed while it is written, once it is worth its time, for a client that takes that.
#[derive(Debug)]
pub(super) enum Packing {
    Plain { text: Vec<u8>, takes_gzip: bool },
    Gzip(GzEncoder<Vec<u8>>),
}

impl Packing {
    /// For a client that sent these headers.
    pub(super) fn new(headers: &HeaderMap) -> Self {
        Self::Plain { text: Vec::new(), takes_gzip: takes_gzip(headers) }
    }

    pub(super) fn push(&mut self, part: &[u8]) {
        // Writing to memory does not fail.
        match self {
            Self::Plain { text, takes_gzip } => {
                text.extend_from_slice(part);
                if *takes_gzip && text.len() as u64 >= SMALLEST {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(FAST));
                    let _ = encoder.write_all(text);
                    *self = Self::Gzip(encoder);
                }
            }
            Self::Gzip(encoder) => {
                let _ = encoder.write_all(part);
            }
        }
    }

    /// The answer with this text, or without if a part of it could not be written.
    pub(super) fn into_response(self, failure: Option<serde_json::Error>) -> Response {
        let is_packed = matches!(self, Self::Gzip(_)) && failure.is_none();
        let text = match self {
            Self::Plain { text, .. } => text,
            Self::Gzip(encoder) => encoder.finish().unwrap_or_default(),
        };
        let mut response = ready(StatusCode::OK, failure.map_or(Ok(text), Err));
        if is_packed {
            response.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
            response.headers_mut().append(header::VARY, BY_ENCODING);
        }
        response
    }
}

/// How the answer to a request may be encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    takes_gzip: bool,
    /// Whether the client has a compressed body cached.
    has_compressed: bool,
}

impl Encoding {
    /// Reads the request, and takes the suffix off the validators that handlers compare.
    pub(super) fn of(request: &mut Request) -> Self {
        let sent = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let plain = sent.filter(|sent| sent.contains(SUFFIX)).map(|sent| sent.replace(SUFFIX, "\""));
        let plain = plain.and_then(|plain| HeaderValue::from_str(&plain).ok());
        let has_compressed = plain.is_some();
        if let Some(plain) = plain {
            request.headers_mut().insert(header::IF_NONE_MATCH, plain);
        }
        // Answers to writes may quote the caller beside a secret, whose length compression would tell.
        Self { takes_gzip: request.method().is_safe() && takes_gzip(request.headers()), has_compressed }
    }

    /// Compresses an answer if the client takes that and it is worth its time.
    pub(super) async fn apply(self, mut response: Response) -> Response {
        if is_large_text(&response) {
            response.headers_mut().append(header::VARY, BY_ENCODING);
            if self.takes_gzip {
                let (parts, body) = response.into_parts();
                // Bodies are made in memory, so they neither fail nor end early.
                let bytes = body::to_bytes(body, usize::MAX).await.unwrap_or_default();
                response = Response::from_parts(parts, Body::from(compressed(&bytes, Compression::new(FAST))));
                response.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
            }
        }
        let is_unchanged = self.has_compressed && response.status() == StatusCode::NOT_MODIFIED;
        let headers = response.headers_mut();
        if is_unchanged || headers.get(header::CONTENT_ENCODING) == Some(&GZIP) {
            let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()?.strip_suffix('"'));
            if let Some(tag) = tag.and_then(|start| HeaderValue::from_str(&format!("{start}{SUFFIX}")).ok()) {
                headers.insert(header::ETAG, tag);
            }
        }
        response
    }
}

fn is_large_text(response: &Response) -> bool {
    let (headers, size) = (response.headers(), response.body().size_hint().lower());
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = ["text/", "application/json", "application/javascript", "image/svg+xml"]
        .iter()
        .any(|one| kind.starts_with(one));
    size >= SMALLEST && is_text && !headers.contains_key(header::CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_says_so_takes_gzip() {
        let takes = |value: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        for value in ["gzip", "deflate, gzip, br", "br;q=1.0, GZIP;q=0.5"] {
            assert!(takes(value), "{value}");
        }
        for value in ["", "identity", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip-2", "*"] {
            assert!(!takes(value), "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}

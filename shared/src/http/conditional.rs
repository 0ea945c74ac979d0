//! `ETag` and `If-None-Match`: a client that has the same bytes cached is not sent them again.

use lambda_http::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// A strong validator of these bytes, with its quotes.
pub fn etag(body: &[u8]) -> String {
    let hash: [u8; 32] = Sha256::digest(body).into();
    format!("\"{}\"", hex::encode(&hash[..16]))
}

/// Whether `If-None-Match` contains this validator (RFC 9110 §13.1.2: weak comparison, lists and `*`).
pub fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == etag)
}

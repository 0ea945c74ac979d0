//! `ETag` and `If-None-Match`: a client that has the same bytes cached is not sent them again.

use lambda_http::http::HeaderValue;
use sha2::{Digest, Sha256};

/// A strong validator of these bytes, with its quotes.
pub fn etag(body: &[u8]) -> String {
    let hash: [u8; 32] = Sha256::digest(body).into();
    format!("\"{}\"", hex::encode(&hash[..16]))
}

/// Whether the values of `If-None-Match` contain this validator (RFC 9110 §13.1.2: weak comparison, lists and `*`).
pub fn not_modified<'a>(if_none_match: impl IntoIterator<Item = &'a HeaderValue>, etag: &str) -> bool {
    if_none_match
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == etag)
}

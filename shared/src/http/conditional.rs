//! `ETag` and `If-None-Match`: whoever has the same bytes already is not sent them again.

use std::fmt::Write;

use lambda_http::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// A strong validator of these bytes, with its quotes.
pub fn etag(body: &[u8]) -> String {
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in Sha256::digest(body).iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// Whether the caller holds what this validator stands for (RFC 9110 §13.1.2: weak comparison, lists and `*`).
pub fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == etag)
}

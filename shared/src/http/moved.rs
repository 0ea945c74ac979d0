//! Paths that older clients call: the same handlers, with headers that name the path to call instead.

use axum::response::Response;
use lambda_http::http::{HeaderName, HeaderValue, Uri, header};

/// RFC 9745, since the release of 29 November 2026.
const DEPRECATION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("deprecation"), HeaderValue::from_static("@1795910400"));

/// The prefix below which older clients call a route, and the one that its path has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

impl Moved {
    /// Where older clients call what is at this path.
    pub(super) fn former(self, path: &str) -> String {
        swapped(path, self.to, self.from)
    }

    /// The link to call instead of this path, with a slash at its end.
    pub(super) fn link(self, uri: &Uri) -> Option<HeaderValue> {
        let path = swapped(uri.path(), self.from, self.to);
        HeaderValue::try_from(format!("<{path}/>; rel=\"successor-version\"")).ok()
    }
}

fn swapped(path: &str, prefix: &str, other: &str) -> String {
    format!("{other}{}", path.strip_prefix(prefix).unwrap_or(path))
}

/// Says in an answer that its path is one that only older clients call.
pub(super) fn tell(response: &mut Response, link: HeaderValue) {
    let (name, since) = DEPRECATION;
    response.headers_mut().insert(name, since);
    response.headers_mut().insert(header::LINK, link);
}

//! Answers of the functions that serve HTML.

use axum::{body::Body, response::Response};
use lambda_http::http::{HeaderValue, StatusCode, header};

/// A whole page.
pub fn page(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Leads to another page after a form, so that a reload sends nothing again; to `start` if a header cannot hold the path.
pub fn see_other(path: &str, start: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let path = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static(start));
    response.headers_mut().insert(header::LOCATION, path);
    response
}

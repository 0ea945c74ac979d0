//! Paths that older clients call: the same handlers, with headers that name the path to call instead.

use axum::{
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use lambda_http::http::{HeaderName, HeaderValue, Uri, header};

use super::Routes;

/// RFC 9745, since the release of 29 November 2026.
const DEPRECATION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("deprecation"), HeaderValue::from_static("@1795910400"));

/// The same routes for a path that only older clients call. `present` is the prefix under which newer ones call them.
///
/// ```ignore
/// Routes::new().nest("/api", resources()).nest("/api/vehicles", former("/api", resources()))
/// ```
pub fn former<S: Clone + Send + Sync + 'static>(present: &'static str, routes: Routes<S>) -> Routes<S> {
    routes.route_layer(middleware::from_fn(move |request: Request, next: Next| outdated(present, request, next)))
}

async fn outdated(present: &'static str, request: Request, next: Next) -> Response {
    let link = successor(present, request.uri());
    let mut response = next.run(request).await;
    let (name, since) = DEPRECATION;
    response.headers_mut().insert(name, since);
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The path to call instead. The router has taken the older prefix off `uri`.
fn successor(present: &str, uri: &Uri) -> String {
    format!("<{present}{}/>; rel=\"successor-version\"", uri.path().trim_end_matches('/'))
}

//! The OpenAPI document, and Swagger UI to read and try it.

use std::sync::{Arc, LazyLock};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use shared::{
    Error, Result,
    http::{ErrorBody, Routes, etag, not_modified, routes},
};
use utoipa_swagger_ui::Config;

use crate::App;

/// Generated from the routers of all functions by `make schema` (a test compares the two), without white space.
const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// Swagger UI has inline styles and `data:` images, and loads nothing from another origin.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
);

static PAGE: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::new(["/api/schema/"]).try_it_out_enabled(true).use_base_layout()));

pub(crate) fn routes() -> Routes<App> {
    routes!(schema, page, asset)
}

/// Shows the OpenAPI 3.1 document.
///
/// The OpenAPI document of this API, as it is deployed.
#[utoipa::path(
    get, path = "/api/schema", operation_id = "schema", tag = "Status",
    responses((status = 200, body = serde_json::Value), (status = 304))
)]
async fn schema(headers: HeaderMap) -> Response {
    file(&headers, DOCUMENT.as_bytes().to_vec(), "application/json")
}

/// Shows the page on which the API can be read and tried.
///
/// A page to read and try this API, with Swagger UI.
#[utoipa::path(
    get, path = "/api/docs", operation_id = "docs", tag = "Status",
    responses((status = 200, body = String, content_type = "text/html"), (status = 304))
)]
async fn page(headers: HeaderMap) -> Result<Response> {
    let Some((html, content_type)) = part("index.html")? else {
        return Err(Error::internal("the page has no index"));
    };
    // The page is served with and without a trailing slash, so its relative links need a fixed base.
    let html = String::from_utf8_lossy(&html).replacen("<head>", "<head><base href=\"/api/docs/\">", 1);
    Ok(file(&headers, html.into_bytes(), &content_type))
}

/// Shows a file of that page.
///
/// Scripts, styles and images.
#[utoipa::path(
    get, path = "/api/docs/{file}", operation_id = "docs_file", tag = "Status",
    params(("file" = String, Path)),
    responses((status = 200), (status = 304), (status = 404, body = ErrorBody))
)]
async fn asset(uri: Uri, headers: HeaderMap) -> Result<Response> {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    let (bytes, content_type) = part(name)?.ok_or(Error::NotFound("Page"))?;
    Ok(file(&headers, bytes, &content_type))
}

fn part(name: &str) -> Result<Option<(Vec<u8>, String)>> {
    let file = utoipa_swagger_ui::serve(name, Arc::clone(&PAGE)).map_err(|error| Error::internal(error.to_string()))?;
    Ok(file.map(|file| (file.bytes.into_owned(), file.content_type)))
}

fn file(headers: &HeaderMap, bytes: Vec<u8>, content_type: &str) -> Response {
    let tag = etag(&bytes);
    let mut response = if not_modified(headers.get_all(header::IF_NONE_MATCH), &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(bytes))
    };
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    answer.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    answer.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in [(header::ETAG, tag.as_str()), (header::CONTENT_TYPE, content_type)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    }
    response
}

//! Style sheet and script of the panel, compressed when built. A new content has a new name, so a browser keeps them.

use axum::{body::Body, extract::Request, response::Response};
use lambda_http::http::{HeaderValue, header};
use shared::{Error, Result, http::takes_gzip};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

struct Asset {
    name: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

pub(crate) async fn show(request: Request) -> Result<Response> {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let asset = [CSS_FILE, JS_FILE].into_iter().find(|asset| asset.name == name).ok_or(Error::NotFound("Page"))?;
    let takes_gzip = takes_gzip(request.headers());
    let mut response = Response::new(Body::from(if takes_gzip { asset.gzip } else { asset.plain }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if takes_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

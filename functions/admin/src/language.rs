//! The choice of a language, kept by the browser.

use axum::response::Response;
use lambda_http::http::{HeaderMap, header};
use shared::{Error, Result};

use crate::{
    access::page_before,
    kit::{form::Form, page::redirect},
    words::{Language, keep_language},
};

/// Keeps the language and leads back to the page that the choice was made on.
pub(crate) async fn choose(headers: HeaderMap, form: Form) -> Result<Response> {
    let language = Language::parse(form.value("language")).ok_or(Error::NotFound("Language"))?;
    let before = page_before(&headers).filter(|path| path.starts_with("/admin/"));
    let mut response = redirect(before.as_deref().unwrap_or("/admin/"));
    response.headers_mut().insert(header::SET_COOKIE, keep_language(language));
    Ok(response)
}

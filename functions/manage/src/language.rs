//! The choice of a language, kept by the browser.

use axum::response::Response;
use lambda_http::http::header;
use shared::{
    Error, Result,
    http::{Fields, Read},
    language::Language,
};

use crate::{form::Form, holder::Holder, page::redirect, words::keep};

pub(crate) struct Choice(String);

impl Read for Choice {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.text("language", 10).map(Self)
    }
}

/// Keeps the language and leads to the first page of the link.
pub(crate) async fn choose(holder: Holder, Form(Choice(tag)): Form<Choice>) -> Result<Response> {
    let language = Language::parse(&tag).ok_or(Error::NotFound("Language"))?;
    let mut response = redirect(&holder.path(""));
    response.headers_mut().insert(header::SET_COOKIE, keep(language));
    Ok(response)
}

//! The frame of every page: the shop's name, the language, what was done or refused, and whom to call.

use axum::{body::Body, response::Response};
use lambda_http::http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use shared::{Error, Result, database::Database, language::Language};

use crate::{holder::Holder, words::Words};

include!(concat!(env!("OUT_DIR"), "/style.rs"));

/// The shop, as a page names it.
pub(crate) struct Shop {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) phone: String,
}

impl Shop {
    pub(crate) async fn load(database: &Database) -> Result<Self> {
        let load = |pool| async move {
            sqlx::query_as!(Self, "select name, address, phone from shops where id = shop_id()")
                .fetch_optional(&pool)
                .await
        };
        database.read(load).await?.ok_or(Error::NotFound("Shop"))
    }
}

/// A page of a link.
pub(crate) struct Page<'a> {
    pub(crate) holder: &'a Holder,
    pub(crate) shop: &'a Shop,
    pub(crate) title: &'a str,
    pub(crate) said: Said,
}

/// What a page says first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// What was just done.
    pub(crate) notice: Option<&'static str>,
    /// Why it was not.
    pub(crate) problem: Option<&'static str>,
    pub(crate) status: StatusCode,
}

impl Said {
    pub(crate) fn refused(problem: &'static str, status: StatusCode) -> Self {
        Self { notice: None, problem: Some(problem), status }
    }
}

impl Page<'_> {
    pub(crate) fn show(&self, content: &Markup) -> Response {
        let (holder, words) = (self.holder, self.holder.words);
        let other = if words.0 == Language::English {
            (Language::Hindi, "हिन्दी")
        } else {
            (Language::English, "English")
        };
        let body = html! {
            header {
                p.brand { (self.shop.name) }
                form method="post" action=(holder.path("language/")) {
                    button.plain type="submit" name="language" value=(other.0.tag()) lang=(other.0.tag()) { (other.1) }
                }
            }
            main {
                @if let Some(problem) = self.said.problem { div.say.problem role="alert" { p { (problem) } } }
                @else if let Some(notice) = self.said.notice { div.say role="status" { p { (notice) } } }
                (content)
            }
            footer {
                p { (words.help()) " " (call(&self.shop.phone)) }
                p { (words.link_is_personal()) }
            }
        };
        respond(self.said.status, &document(words.0, self.title, &body))
    }
}

/// A number that a phone calls.
pub(crate) fn call(phone: &str) -> Markup {
    html! { a href=(format!("tel:{phone}")) { (phone) } }
}

/// A page without a link, such as that of a failure.
pub(crate) fn bare(title: &str, content: &Markup) -> Markup {
    document(Language::English, title, &html! { header { p.brand { "RepairMyBike" } } main { (content) } })
}

pub(crate) fn document(language: Language, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}

pub(crate) fn respond(status: StatusCode, page: &Markup) -> Response {
    let mut response = Response::new(Body::from(page.0.clone()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Leads to a page after a form, so that a reload sends nothing again.
pub(crate) fn redirect(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // A token that was found has no character that a header could not hold.
    let path = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/b/"));
    response.headers_mut().insert(header::LOCATION, path);
    response
}

/// The way back from a page to the booking.
pub(crate) fn way_back(holder: &Holder, words: Words) -> Markup {
    html! { p { a href=(holder.path("")) { (words.back()) } } }
}

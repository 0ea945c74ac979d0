//! A page of a link: in its frame the language, and what was done or refused.

use axum::response::Response;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    http::{page, see_other},
    language::Language,
};

use crate::{
    frame::{Shop, call, document},
    holder::Holder,
    words::Words,
};

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
        page(self.said.status, document(words.0, self.title, &body).into_string())
    }
}

/// Leads to a page after a form.
pub(crate) fn redirect(path: &str) -> Response {
    // A token that was found has no character that a header could not hold.
    see_other(path, "/b/")
}

/// The way back from a page to the booking.
pub(crate) fn way_back(holder: &Holder, words: Words) -> Markup {
    html! { p { a href=(holder.path("")) { (words.back()) } } }
}

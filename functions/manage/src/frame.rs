//! The frame of every page: its head, the shop's name and whom to call. It knows no link.

use axum::response::Response;
use lambda_http::http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use shared::{Error, Result, database::Database, http::page, language::Language};

use crate::words::Words;

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

/// The page of a link that has ended, and of a token that opens nothing: without personal data, and the same for all.
pub(crate) fn ended(words: Words, shop: &Shop) -> Response {
    let body = html! {
        header { p.brand { (shop.name) } }
        main {
            section {
                h1 { (words.ended_title()) }
                p { (words.ended_why()) }
                p { (words.call_shop()) ": " (call(&shop.phone)) }
            }
        }
    };
    page(StatusCode::GONE, document(words.0, words.ended_title(), &body).into_string())
}

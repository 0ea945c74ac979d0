//! The first page: what is here, for browsers and for programs.

use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use lambda_http::http::{HeaderMap, HeaderValue, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;
use shared::http::{Envelope, Routes, routes};
use utoipa::ToSchema;

use crate::App;

const STYLE: &str = include_str!("home.css");

/// The page loads nothing; its styles are its own.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

pub(crate) fn routes() -> Routes<App> {
    routes!(home)
}

/// Where things are.
#[derive(Debug, Serialize, ToSchema)]
struct Links {
    /// A page to read and try the API.
    docs: &'static str,
    /// The OpenAPI document.
    schema: &'static str,
    /// The pages of the shop's people.
    panel: &'static str,
    /// Whether database and Redis answer.
    ready: &'static str,
    /// A page for customers, as an example; on a development machine only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    example: Option<String>,
}

/// Says what is here.
///
/// Links as JSON; a page if `Accept` names `text/html`, as browsers do.
#[utoipa::path(
    get, path = "/", operation_id = "home", tag = "Status",
    responses((status = 200, content((Envelope<Links> = "application/json"), (String = "text/html"))))
)]
async fn home(State(app): State<App>, headers: HeaderMap) -> Response {
    let links =
        Links { docs: "/api/docs/", schema: "/api/schema/", panel: "/admin/", ready: "/ready/", example: app.example };
    let mut response = if accepts_pages(&headers) {
        let mut page = Html(page(&links).0).into_response();
        page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        page
    } else {
        Envelope::new("The API of RepairMyBike", links).into_response()
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn accepts_pages(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.to_ascii_lowercase().contains("text/html"))
}

fn page(links: &Links) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "RepairMyBike" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "RepairMyBike" }
                    p { "The backend of a bike and scooter repair shop: bookings, prices, payments." }
                    ul {
                        @if let Some(example) = &links.example {
                            (entry(example, "Book a repair", "A page for customers, as an example: from the bike to the paid booking"))
                        }
                        (entry(links.panel, "Panel", "For the shop's people: the day, bookings, prices, payments"))
                        (entry(links.docs, "API", "Read every operation, and try it"))
                        (entry(links.schema, "OpenAPI document", "For programs that generate a client"))
                        (entry(links.ready, "Status", "Whether the database and Redis answer"))
                    }
                }
            }
        }
    }
}

fn entry(link: &str, name: &str, description: &str) -> Markup {
    html! { li { a href=(link) { strong { (name) } span { (description) } } } }
}

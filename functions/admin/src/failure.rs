//! Failures as pages, and the headers of every answer.

use maud::html;
use shared::Error;

use crate::kit::page::bare;

/// Nothing but our own style sheet and script is loaded, no other page frames or calls this one, and no cache keeps a
/// page of the shop's data.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000"),
    ("cache-control", "no-store"),
];

/// The page of a request that failed.
pub(crate) fn page(error: &Error) -> String {
    let sentence = match error {
        Error::NotFound(_) => "There is no page at this address. The record may have been removed.".to_owned(),
        Error::PermissionDenied => "Your account may not open this page or do this.".to_owned(),
        Error::PayloadTooLarge => "The file is too large: at most 2 MB are read.".to_owned(),
        Error::MethodNotAllowed => "This page cannot be opened like this.".to_owned(),
        error => error.to_string(),
    };
    let content = html! {
        h1 { (title(error)) }
        p { (sentence) }
        p { a class="button" href="/admin/" { "Go to the start page" } }
    };
    bare(title(error), &content).into_string()
}

fn title(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "Page not found",
        Error::PermissionDenied => "Not allowed",
        Error::Throttled { .. } => "Too many attempts",
        Error::PayloadTooLarge => "File too large",
        _ => "That did not work",
    }
}

//! Razorpay's hosted checkout: a page to which a shop's form leads, and which leads back to the shop by a form.
//!
//! The real page is one step; here a second page has the form back, so that it works without a script. Its fields are those of
//! public examples; what the real one does with `cancel_url` is a guess: a link. With the field `frame`, which is our own, it is a
//! page in the frame that `checkout.js` opens, and tells the result with a message.

use axum::{
    http::header::CONTENT_TYPE,
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Value, json};

use crate::{
    KEY_ID,
    answer::{Refusal, Result},
    attempt::{Attempt, Outcome},
    checkout,
    request::Request,
    state::State,
};

const PAGE: &str = "/v1/checkout/embedded";
const PAY: &str = "/v1/checkout/embedded/pay";
const SCRIPT: &str = "/v1/checkout.js";
const STYLE: &str = "body { margin: 1.5rem; font: 16px/1.5 system-ui, sans-serif } h1 { font-size: 1.25rem } \
    button { display: block; width: 100%; min-height: 44px; margin-top: 0.75rem; font: inherit }";

/// Whether a call is a form or a script of a browser, which has no API key.
pub(crate) fn is_for(request: &Request) -> bool {
    request.path.starts_with(PAGE) || request.path == SCRIPT
}

/// Answers a browser.
pub(crate) fn answer(state: &mut State, request: &Request) -> Response {
    let page = match (request.method.as_str(), request.path.trim_end_matches('/')) {
        ("POST", PAGE) => open(state, request),
        ("POST", PAY) => pay(state, request),
        ("GET", SCRIPT) => return ([(CONTENT_TYPE, "text/javascript")], include_str!("checkout.js")).into_response(),
        _ => Err(Refusal::unknown_url()),
    };
    page.map_or_else(IntoResponse::into_response, |page| Html(page.0).into_response())
}

fn text<'a>(request: &'a Request, name: &str) -> &'a str {
    request.body.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn open(state: &State, request: &Request) -> Result<Markup> {
    if text(request, "key_id") != KEY_ID {
        return Err(Refusal::unauthenticated(state.settings.unauthenticated_status));
    }
    let order = state.orders.find(text(request, "order_id"))?;
    let amount = order.number("amount");
    Ok(page(&html! {
        h1 { (text(request, "name")) }
        p { (text(request, "description")) ": ₹" (amount / 100) "." (format!("{:02}", amount % 100)) }
        form method="post" action=(PAY) {
            @for name in ["order_id", "callback_url", "frame"] { input type="hidden" name=(name) value=(text(request, name)); }
            button name="outcome" value="captured" { "Pay" }
            button name="outcome" value="failed" { "Let the bank decline" }
        }
        @if !is_framed(request) { p { a href=(text(request, "cancel_url")) { "Cancel" } } }
    }))
}

fn pay(state: &mut State, request: &Request) -> Result<Markup> {
    let outcome = if text(request, "outcome") == "failed" { Outcome::Failed } else { Outcome::Captured };
    let order_id = text(request, "order_id").to_owned();
    let paid = checkout::pay(state, &Attempt { order_id, outcome: Some(outcome), ..Attempt::default() })?;
    if is_framed(request) {
        return Ok(page(&framed(&paid.json(state), outcome)));
    }
    let fields = if outcome == Outcome::Failed {
        vec![("error[code]", "BAD_REQUEST_ERROR"), ("error[reason]", "payment_failed")]
    } else {
        vec![
            ("razorpay_order_id", paid.order_id.as_str()),
            ("razorpay_payment_id", &paid.payment_id),
            ("razorpay_signature", &paid.signature),
        ]
    };
    Ok(page(&html! {
        h1 { @if outcome == Outcome::Failed { "Declined" } @else { "Paid" } }
        form method="post" action=(text(request, "callback_url")) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button { "Back to the shop" }
        }
    }))
}

fn is_framed(request: &Request) -> bool {
    !text(request, "frame").is_empty()
}

/// Tells the page around the frame what came of the attempt: what the success handler gets, or the error of the failure event.
fn framed(result: &Value, outcome: Outcome) -> Markup {
    let told = if outcome == Outcome::Failed { json!({ "error": result["error"] }) } else { result.clone() };
    // Inside a script only `<` could end it.
    let told = told.to_string().replace('<', "\\u003c");
    html! {
        h1 { @if outcome == Outcome::Failed { "Declined" } @else { "Paid" } }
        script { (PreEscaped(format!("parent.postMessage({told}, '*')"))) }
    }
}

fn page(content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width"; title { "Stand-in for Razorpay" }
                style { (PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    }
}

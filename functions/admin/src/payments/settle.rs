//! The page on which one mismatch is settled.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    bookings::LONGEST_REASON,
    http::{Fields, Read},
    payments::mismatches::{self, Kind, Mismatch},
};

use super::{PLACE, attention, words};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{moment_text, rupees},
        form::{Form, Input, once, problem},
        page::Page,
    },
    session::Person,
};

const TITLE: &str = "Settle what does not match";

/// Which mismatch a form is about.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    pub(super) id: i64,
}

impl Read for Subject {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (kind, id) = (fields.value("kind"), fields.integer("subject"));
        Some(Self { kind: kind?, id: id? })
    }
}

pub(crate) async fn page(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    show(&app, &person, &Form::of(ask.values().clone()), StatusCode::OK).await
}

/// The page with the faults of a form.
pub(super) async fn refused(app: &App, person: &Person, form: Form) -> Result<Response> {
    show(app, person, &form, StatusCode::BAD_REQUEST).await
}

pub(super) async fn show(app: &App, person: &Person, form: &Form, status: StatusCode) -> Result<Response> {
    let subject = Form::of([("kind", form.value("kind").to_owned()), ("subject", form.value("subject").to_owned())])
        .read::<Subject>();
    let found = match subject {
        Some(Subject { kind, id }) => match mismatches::find(&app.database().pool(), kind, id).await {
            Ok(found) => Some(found),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let content = html! {
        h1 { (TITLE) }
        (problem(form.fault("form").or(form.fault("form_key"))))
        @match &found {
            Some(found) => { (facts(found)) (forms(found, form)) }
            None => { p.empty { "There is nothing to settle here. It was settled, or it has settled itself." } }
        }
    };
    let above = [
        (PLACE.path.to_owned(), PLACE.title.to_owned()),
        (format!("{}?scope=attention", PLACE.path), "Needs attention".to_owned()),
    ];
    Ok(Page::new(person, PLACE.path, TITLE).below(&above).status(status).show(&content))
}

fn facts(found: &Mismatch) -> Markup {
    html! {
        div.attention { p { strong { (words::mismatch(found.kind, found.is_stuck)) "." } " " (words::advice(found)) } }
        dl.facts {
            dt { "Booking" } dd { (attention::booking(found)) @if let Some(customer) = &found.customer { " · " (customer) } }
            @if let Some(id) = found.payment_id { dt { "Payment" } dd { a href=(format!("{}{id}/", PLACE.path)) { "Payment " (id) } } }
            dt { "Amount" } dd { (attention::amount(found)) }
            @if let Some(detail) = &found.detail { dt { "At Razorpay" } dd { (detail) } }
            @if let Some(deadline) = found.deadline { dt { "Answer by" } dd { (moment_text(deadline)) } }
            dt { "Since" } dd { (moment_text(found.since)) }
        }
    }
}

/// Hidden fields that every form of the page has.
fn hidden(found: &Mismatch) -> Markup {
    html! {
        input type="hidden" name="kind" value=(found.kind.as_str());
        input type="hidden" name="subject" value=(found.subject_id);
        (once())
    }
}

fn forms(found: &Mismatch, form: &Form) -> Markup {
    let path = |act: &str| format!("{}settle/{act}/", PLACE.path);
    html! {
        @if let Some(amount) = found.to_refund() {
            form.stack method="post" action=(path("again")) {
                h2 { @if found.kind == Kind::Misfit { "Refund it" } @else { "Refund again" } }
                (hidden(found))
                (Input::new("why", "Reason").max(LONGEST_REASON).in_form(form))
                div.actions { button type="submit" { "Refund " (attention::money(found, amount)) } }
            }
            form.stack method="post" action=(path("by-hand")) {
                h2 { "Given back at the shop" }
                p.hint { "For money that was handed out or transferred already. It counts as given back, and Razorpay is not asked." }
                (hidden(found))
                (Input::new("amount", "Amount in rupees").required().numeric().max(12).hint(&format!("At most {}.", rupees(amount))).in_form(form))
                (Input::new("by", "How").required().select_in(form, &ways()))
                (Input::new("proof", "Proof or reason").required().max(LONGEST_REASON).hint("Such as the number of the transfer, or who signed for the cash.").in_form(form))
                div.actions { button type="submit" { "Note what was given back" } }
            }
        }
        form.stack method="post" action=(path("accept")) {
            h2 { @if found.kind == Kind::Misfit { "Accept it" } @else { "Leave it as it is" } }
            (hidden(found))
            (Input::new("reason", "Reason").required().max(LONGEST_REASON).hint(accepted_hint(found.kind)).in_form(form))
            div.actions { button.plain type="submit" {
                    @if found.kind == Kind::Misfit { "Accept " (attention::amount(found)) } @else { "Leave " (attention::amount(found)) " as it is" }
                } }
        }
    }
}

fn ways() -> Vec<(String, String)> {
    [("cash", "In cash, from the drawer"), ("transfer", "By bank transfer")]
        .map(|(value, text)| (value.to_owned(), text.to_owned()))
        .to_vec()
}

fn accepted_hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Misfit => "An amount in rupees pays the booking, unless it is paid or cancelled. The reason stays.",
        Kind::PaidWithoutMoney => "Such as how the customer paid. It is not listed any more, and the reason stays.",
        _ => "Such as what was agreed with the customer. It is not listed any more, and the reason stays.",
    }
}

//! The page that gives money of a booking back: how much, where it goes, and why.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Faults, Result,
    bookings::{LONGEST_REASON, booking},
    http::{Fields, Id, Read},
    ids::BookingId,
    money::Money,
    payments::refunds::{self, Part, To},
};
use sqlx::PgConnection;

use super::words;
use crate::{
    App,
    kit::{
        act,
        ask::Ask,
        cell::rupees,
        form::{Form, Input, once, problem},
        page::{Page, redirect},
    },
    session::Person,
    words::day_text,
};

/// How much is to go back; all that is left if it is missing.
struct Amount(Option<Money>);

impl Read for Amount {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.value_if_any("amount")))
    }
}

/// The form, and where the money would go.
pub(crate) async fn page(State(app): State<App>, person: Person, Id(id): Id<BookingId>, ask: Ask) -> Result<Response> {
    show(&app, &person, id, Form::of(ask.values().clone()), None).await
}

struct Refund {
    amount: Money,
    reason: String,
}

impl Read for Refund {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (amount, reason) = (fields.value("amount"), fields.text("reason", LONGEST_REASON));
        Some(Self { amount: amount?, reason: reason? })
    }
}

/// Gives the money back, if it goes where the page has shown.
pub(crate) async fn give_back(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let Some(wanted) = form.read::<Refund>() else {
        return show(&app, &person, id, form, Some(StatusCode::BAD_REQUEST)).await;
    };
    let shown = form.value("shown").to_owned();
    let work = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, id).await?;
        let parts = refunds::preview(&mut *connection, id, Some(wanted.amount)).await?;
        if fingerprint(&parts) != shown {
            let sentence = "Nothing was refunded: where the money goes has changed. Read it below and confirm again.";
            return Err(Error::Conflict(Faults::from(("form", sentence))));
        }
        refunds::request(connection, &booking, Some(wanted.amount), &wanted.reason, &person.actor()).await?;
        Ok(format!("/admin/bookings/{id}/?done=refunded"))
    };
    match act::once(app.database(), &form, work).await {
        Ok(led_to) => Ok(redirect(&led_to)),
        Err(error) => {
            let status =
                if matches!(error, Error::Conflict(_)) { StatusCode::CONFLICT } else { StatusCode::BAD_REQUEST };
            form.take(error)?;
            show(&app, &person, id, form, Some(status)).await
        }
    }
}

async fn show(
    app: &App,
    person: &Person,
    id: BookingId,
    mut form: Form,
    refused: Option<StatusCode>,
) -> Result<Response> {
    let pool = app.database().pool();
    let paid = super::Money::load(&pool, id).await?;
    let amount = match form.fault("amount") {
        None => form.read::<Amount>().and_then(|Amount(amount)| amount),
        Some(_) => None,
    };
    let parts = match refunds::preview(&pool, id, amount).await {
        Ok(parts) => parts,
        Err(error) => {
            form.take(error)?;
            Vec::new()
        }
    };
    if form.value("amount").is_empty() && !parts.is_empty() {
        form.set("amount", sum(&parts).to_string());
    }
    let title = format!("Refund {}", paid.reference);
    let content = html! {
        h1 { (title) }
        (problem(form.fault("form").or(form.fault("form_key"))))
        (paid.show())
        (amount_form(id, &form))
        @if form.fault("amount").is_none() { (confirmation(id, &parts, &form)) }
    };
    let status = refused.unwrap_or(StatusCode::OK);
    let above = [
        ("/admin/bookings/".to_owned(), "Bookings".to_owned()),
        (format!("/admin/bookings/{id}/"), paid.reference.clone()),
    ];
    Ok(Page::new(person, "/admin/bookings/", &title).below(&above).status(status).show(&content))
}

fn amount_form(booking: BookingId, form: &Form) -> Markup {
    html! {
        form.stack method="get" action=(path(booking)) {
            (Input::new("amount", "Amount in rupees").required().numeric().max(12).in_form(form))
            div.actions { button.plain type="submit" { "Show where it goes" } a href=(format!("/admin/bookings/{}/", booking)) { "Cancel" } }
        }
    }
}

/// Where the money goes, and the form that sends it there.
fn confirmation(booking: BookingId, parts: &[Part], form: &Form) -> Markup {
    let amount = sum(parts);
    html! {
        form.stack method="post" action=(path(booking)) {
            h2 { "What goes back" }
            ul { @for part in parts { li { (where_to(part)) } } }
            input type="hidden" name="amount" value=(amount);
            input type="hidden" name="shown" value=(fingerprint(parts));
            (once())
            (Input::new("reason", "Reason").required().max(LONGEST_REASON).hint("The customer may be told.").in_form(form))
            div.actions { button type="submit" { "Refund " (rupees(amount)) } }
        }
    }
}

fn path(booking: BookingId) -> String {
    format!("/admin/bookings/{booking}/refund/")
}

fn sum(parts: &[Part]) -> Money {
    parts.iter().map(|part| part.amount.paise()).sum::<i64>().into()
}

/// `₹500.00 to the UPI payment of Mon 30 Nov`, `₹130.00 in cash: hand it out`.
fn where_to(part: &Part) -> String {
    let amount = rupees(part.amount);
    match &part.to {
        To::Cash => format!("{amount} in cash: hand it out"),
        To::Online { means, taken } => {
            let day = day_text(taken.date());
            match means.as_deref() {
                None => format!("{amount} to the online payment of {day}"),
                Some("card") => format!("{amount} to the card payment of {day}"),
                Some(means) => format!("{amount} to the {} payment of {day}", words::means(Some(means), None)),
            }
        }
    }
}

/// What a page has shown, to find out whether it is still so.
fn fingerprint(parts: &[Part]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("{}:{}", part.capture, part.amount.paise())).collect();
    parts.join(" ")
}

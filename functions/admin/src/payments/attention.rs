//! What does not match between money and bookings, and the way to settle each.

use axum::response::Response;
use maud::{Markup, html};
use shared::{
    Result,
    money::Money,
    payments::mismatches::{self, Kind, Mismatch, Wanted},
};

use super::{
    PLACE,
    scopes::{self, Scopes},
    words,
};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{Cell, moment_text, rupees},
        file,
        form::once,
        list::Column,
        rows::Rows,
    },
    session::Person,
};

/// Where the page of one mismatch is.
pub(super) fn path(mismatch: &Mismatch) -> String {
    format!("{}settle/?kind={}&subject={}", PLACE.path, mismatch.kind.as_str(), mismatch.subject_id)
}

/// The content of the list's page in the scope `attention`.
pub(super) async fn content(app: &App, person: &Person, ask: &Ask, counts: &Scopes) -> Result<Markup> {
    let found = mismatches::list(&app.database().pool(), Wanted::default()).await?;
    Ok(html! {
        h1 { (PLACE.title) }
        (scopes::links(ask, counts))
        @if found.is_empty() { p.empty { "Money and bookings match. There is nothing to do." } }
        @else {
            @if person.is_admin { div.bar { p.count { (found.len()) " in all" } a href="/admin/payments.csv?scope=attention" download { "Download CSV" } } }
            (table(person, &found))
        }
    })
}

/// What does not match, with the acts that settle it.
pub(super) fn table(person: &Person, found: &[Mismatch]) -> Markup {
    html! {
        div.table role="region" aria-label="What does not match" tabindex="0" {
            table {
                thead {
                    tr {
                        th scope="col" { "What does not match" }
                        th scope="col" { "Booking" }
                        th scope="col" { "Customer" }
                        th.num scope="col" { "Amount" }
                        th scope="col" { "Since" }
                        @if person.is_admin { th scope="col" { "Action" } }
                    }
                }
                tbody {
                    @for one in found {
                        tr {
                            td data-label="What" {
                                @if let Some(id) = one.payment_id { a href=(format!("{}{id}/", PLACE.path)) { (title(one)) } }
                                @else { (title(one)) }
                                (more(one))
                            }
                            td data-label="Booking" { (booking(one)) }
                            td data-label="Customer" { (one.customer.as_deref().unwrap_or_default()) }
                            td.num data-label="Amount" { (amount(one)) }
                            td data-label="Since" { (moment_text(one.since)) }
                            @if person.is_admin { td data-label="Action" { (acts(one)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The booking, or what stands where there is none.
pub(super) fn booking(one: &Mismatch) -> Markup {
    html! {
        @match (one.booking_id, &one.reference) {
            (Some(id), Some(reference)) => { a href=(format!("/admin/bookings/{id}/")) { (reference) } }
            _ => { "None" }
        }
    }
}

/// The amount in its currency.
pub(super) fn amount(one: &Mismatch) -> String {
    money(one, one.amount)
}

/// An amount in the currency of what does not match.
pub(super) fn money(one: &Mismatch, amount: Money) -> String {
    if one.currency == "INR" { rupees(amount) } else { format!("{} {amount}", one.currency) }
}

/// What Razorpay told, and until when an answer is due.
pub(super) fn more(one: &Mismatch) -> Markup {
    html! {
        @if let Some(detail) = &one.detail { br; span.hint { (detail) } }
        @if let Some(deadline) = one.deadline { br; strong { "Answer by " (moment_text(deadline)) } }
    }
}

fn title(one: &Mismatch) -> &'static str {
    words::mismatch(one.kind, one.is_stuck)
}

fn acts(one: &Mismatch) -> Markup {
    html! {
        div.acts {
            @if let (Some(amount), false) = (one.to_refund(), one.is_stuck) {
                form method="post" action=(format!("{}settle/again/", PLACE.path)) {
                    input type="hidden" name="kind" value=(one.kind.as_str());
                    input type="hidden" name="subject" value=(one.subject_id);
                    (once())
                    button type="submit" { "Refund " (money(one, amount)) @if one.kind != Kind::Misfit { " again" } }
                }
            }
            a href=(path(one)) aria-label=(format!("Settle {} of {}", amount(one), one.reference.as_deref().unwrap_or("no booking"))) { "Settle" }
        }
    }
}

/// The same as a CSV file.
pub(super) async fn file(app: &App) -> Result<Response> {
    let rows = mismatches::list(&app.database().pool(), Wanted::default()).await?;
    let columns: [Column<Mismatch>; 8] = [
        Column::plain("what", "What does not match", |one| Cell::Text(title(one).to_owned())),
        Column::plain("booking", "Booking", |one| Cell::Text(one.reference.clone().unwrap_or_default())),
        Column::plain("customer", "Customer", |one| Cell::Text(one.customer.clone().unwrap_or_default())),
        Column::plain("payment", "Payment", |one| one.payment_id.map_or(Cell::Empty, |id| Cell::Number(id.0))),
        Column::plain("amount", "Amount", |one| Cell::Money(one.amount)),
        Column::plain("currency", "Currency", |one| Cell::Text(one.currency.clone())),
        Column::plain("deadline", "Answer by", |one| one.deadline.map_or(Cell::Empty, Cell::Moment)),
        Column::plain("since", "Since", |one| Cell::Moment(one.since)),
    ];
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    file::file(PLACE, &columns, &Rows::all(rows, count))
}

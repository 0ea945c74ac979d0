//! The list of bookings, its scopes and its file.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use shared::{
    Result,
    bookings::status::{BookingStatus, PaymentMethod, PaymentStatus},
    money::Money,
};

use super::{
    PLACE,
    find::{Row, find, rows},
    look,
    scopes::Scopes,
};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{Cell, Tone},
        file as csv,
        list::{Bulk, Column, Filter, List},
        page::Page,
        rows::{Count, InScope},
    },
    session::Person,
    words::{Language, Words},
};

fn columns(words: Words) -> Vec<Column<Row>> {
    let english = words.0 == Language::English;
    vec![
        Column::sorted("id", "ID", |row| Cell::Number(row.id.0)),
        Column::sorted("reference", words.reference(), |row: &Row| {
            Cell::link(format!("{}{}/", PLACE.path, row.id), &row.reference)
        }),
        Column::sorted("customer", words.customer(), |row: &Row| {
            Cell::link(format!("/admin/customers/{}/", row.customer_id), &row.customer)
        }),
        Column::sorted("model", words.model(), |row: &Row| Cell::Text(row.model.clone())),
        Column::plain("services", words.services(), |row: &Row| Cell::Text(row.services.clone())),
        Column::sorted(
            "place",
            words.place(),
            if english { |row| place(Language::English, row) } else { |row| place(Language::Hindi, row) },
        ),
        Column::sorted("date", words.date(), |row: &Row| Cell::Moment(row.date.and_time(row.time))),
        Column::sorted("total", words.total(), |row: &Row| Cell::Money(Money::from_paise(row.total))),
        Column::sorted(
            "paid",
            words.paid(),
            if english { |row| paid(Language::English, row) } else { |row| paid(Language::Hindi, row) },
        ),
        Column::sorted(
            "status",
            words.status(),
            if english { |row| status(Language::English, row) } else { |row| status(Language::Hindi, row) },
        ),
        Column::plain(
            "source",
            words.source(),
            if english { |row| source(Language::English, row) } else { |row| source(Language::Hindi, row) },
        ),
        Column::plain("phone", words.phone(), |row: &Row| Cell::Text(row.phone.clone())),
        Column::plain("email", words.email(), |row: &Row| Cell::optional(row.email.as_deref())),
        Column::sorted("created", words.created(), |row: &Row| Cell::Moment(row.created)),
    ]
}

fn place(language: Language, row: &Row) -> Cell {
    Cell::Text(Words(language).location(row.location).to_owned())
}

fn source(language: Language, row: &Row) -> Cell {
    Cell::Text(Words(language).made_by(row.source).to_owned())
}

fn paid(language: Language, row: &Row) -> Cell {
    let words = Words(language);
    match (row.payment_status, row.payment_method) {
        (PaymentStatus::Pending, _) if row.status == BookingStatus::Cancelled => Cell::Empty,
        (PaymentStatus::Pending, _) => Cell::Tag(Tone::Warning, words.unpaid()),
        (PaymentStatus::Completed, PaymentMethod::Cash) => Cell::Tag(Tone::Good, words.by_cash()),
        (PaymentStatus::Completed, PaymentMethod::Razorpay) => Cell::Tag(Tone::Good, words.by_razorpay()),
        (PaymentStatus::Refunded, _) => Cell::Tag(Tone::Quiet, words.refunded()),
    }
}

fn status(language: Language, row: &Row) -> Cell {
    let words = Words(language);
    if row.is_no_show {
        return Cell::Tag(Tone::Quiet, words.no_show());
    }
    Cell::Status(look::tone(row.status), look::icon(row.status), words.status_of(row.status))
}

fn filters(words: Words, services: Vec<(String, String)>) -> Vec<Filter> {
    let choices = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    let statuses: Vec<(&str, &str)> = BookingStatus::ALL
        .iter()
        .map(|status| (status.as_str(), words.status_of(*status)))
        .chain([("no_show", words.no_show())])
        .collect();
    vec![
        Filter::Kept { name: "scope" },
        Filter::Days { name: "date", label: words.date() },
        Filter::Choice { name: "status", label: words.status(), all: words.any_status(), choices: choices(&statuses) },
        Filter::Choice {
            name: "paid",
            label: words.paid(),
            all: words.paid_or_not(),
            choices: choices(&[("no", words.unpaid()), ("yes", words.paid()), ("refunded", words.refunded())]),
        },
        Filter::Choice {
            name: "method",
            label: words.paid_by(),
            all: words.cash_or_razorpay(),
            choices: choices(&[("cash", words.by_cash()), ("razorpay", words.by_razorpay())]),
        },
        Filter::Choice {
            name: "place",
            label: words.place(),
            all: words.any_place(),
            choices: choices(&[("shop", words.at_the_shop()), ("home", words.at_home())]),
        },
        Filter::Choice { name: "service", label: words.service(), all: words.any_service(), choices: services },
        Filter::Text { name: "model", label: words.model() },
        Filter::Choice {
            name: "source",
            label: words.source(),
            all: words.any_source(),
            choices: choices(&[
                ("web", words.by_web()),
                ("app", words.by_app()),
                ("counter", words.by_counter()),
                ("phone", words.by_phone()),
            ]),
        },
        Filter::Days { name: "created", label: words.created() },
    ]
}

/// The links above the list, each a filter of its own, with its count.
fn scopes(words: Words, ask: &Ask, scopes: &Scopes) -> Markup {
    let scopes = [
        ("", words.all(), Count(scopes.all).to_string()),
        ("to_confirm", words.pending(), InScope(scopes.to_confirm).to_string()),
        ("today", words.today(), InScope(scopes.today).to_string()),
        ("late", words.late_ones(), InScope(scopes.late).to_string()),
        ("upcoming", words.upcoming(), InScope(scopes.upcoming).to_string()),
        ("unpaid", words.unpaid(), InScope(scopes.unpaid).to_string()),
        ("done", words.completed(), InScope(scopes.done).to_string()),
        ("cancelled", words.cancelled(), InScope(scopes.cancelled).to_string()),
    ];
    html! {
        nav.scopes aria-label="Scopes" {
            @for (value, text, count) in scopes {
                a href=(ask.link(&[("scope", value)])) aria-current=[(ask.value("scope").unwrap_or_default() == value).then_some("true")] {
                    (text) " " span.count { (count) }
                }
            }
        }
    }
}

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let ask = ask.offering_file(person.is_admin);
    let found = find(app.database(), &ask).await?;
    let words = person.words;
    let (columns, filters) = (columns(words), filters(words, found.scopes.services.clone()));
    let list = List {
        place: PLACE,
        ask: &ask,
        columns: &columns,
        filters: &filters,
        rows: &found.rows,
        search: Some(words.search_bookings()),
        empty: words.no_booking(),
        bulk: Some(Bulk {
            action: "/admin/bookings/bulk/",
            key: |row| format!("{}:{}", row.id, row.version),
            name: |row| row.reference.clone(),
            acts: [
                BookingStatus::Confirmed,
                BookingStatus::InProgress,
                BookingStatus::Completed,
                BookingStatus::Cancelled,
            ]
            .map(|status| (status.as_str(), words.step_to(status)))
            .to_vec(),
        }),
        words,
    };
    let content = html! {
        div.heading {
            h1 { (words.bookings()) }
            a.button href="/admin/bookings/new/" { (words.walk_in()) }
        }
        (scopes(words, &ask, &found.scopes))
        (list.show())
    };
    Ok(Page::new(&person, PLACE.path, words.bookings()).show(&content))
}

pub(crate) async fn file(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    csv::file(PLACE, &columns(person.words), &rows(app.database(), &ask).await?)
}

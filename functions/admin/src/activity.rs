//! Who changed what: the history of everything, of a kind of record, of a record, or of a person.

use axum::{
    extract::{Request, State},
    response::Response,
};
use chrono::Weekday;
use maud::{Markup, html};
use serde_json::Value;
use shared::{
    Error, Result,
    history::{self, Action, Entry, Filter as Wanted, Source},
    http::Id,
    ids::AuditEventId,
};

use crate::{
    App,
    kit::{
        ask::Ask,
        cell::moment_text,
        list::choices_of,
        page::{Page, Place},
    },
    session::Person,
};

const PLACE: Place = Place { path: "/admin/activity/", title: "Activity" };
/// Entries of a page.
const PAGE: i64 = 50;

/// The tables of the history: name, what a row is called, and where its page is.
const KINDS: [(&str, &str, Option<&str>); 14] = [
    ("service_prices", "Price", None),
    ("services", "Service", Some("/admin/services/")),
    ("service_categories", "Category", Some("/admin/service-categories/")),
    ("vehicle_models", "Model", Some("/admin/vehicle-models/")),
    ("vehicle_brands", "Brand", Some("/admin/vehicle-brands/")),
    ("vehicle_types", "Vehicle type", Some("/admin/vehicle-types/")),
    ("shops", "Shop", None),
    ("opening_hours", "Opening hours", None),
    ("holidays", "Holiday", None),
    ("message_texts", "Words of a mail", None),
    ("users", "User", Some("/admin/users/")),
    ("staff_keys", "Staff key", None),
    ("customers", "Customer", Some("/admin/customers/")),
    ("customer_exports", "Copy of data", Some("/admin/customers/")),
];

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let wanted = Wanted {
        actor: ask.value("actor").map(|actor| {
            if actor.bytes().all(|byte| byte.is_ascii_digit()) { format!("user:{actor}") } else { actor.to_owned() }
        }),
        source: ask.value("source").and_then(source),
        table: ask.value("kind").map(ToOwned::to_owned),
        record: ask.value("record").map(ToOwned::to_owned),
        day: ask.day("day"),
        before: ask.id("before").map(AuditEventId),
    };
    let entries = history::list(app.database(), &wanted, PAGE + 1).await?;
    let content = html! {
        h1 { (PLACE.title) }
        (filters(&ask))
        (table(&entries))
        (older(&ask, &entries))
    };
    Ok(Page::new(&person, PLACE.path, PLACE.title).show(&content))
}

/// The history of one record; its path is that of the record, and `history/`.
pub(crate) async fn of_record(
    State(app): State<App>,
    person: Person,
    Id(id): Id,
    request: Request,
) -> Result<Response> {
    let path = request.uri().path();
    let kind = KINDS.iter().find(|(_, _, place)| place.is_some_and(|place| path.starts_with(place)));
    let (kind, what, place) = kind.ok_or(Error::NotFound("Page"))?;
    let place = place.unwrap_or(PLACE.path);
    let wanted = Wanted { table: Some((*kind).to_owned()), record: Some(id.to_string()), ..Wanted::default() };
    let entries = history::list(app.database(), &wanted, 200).await?;
    let title = format!("History of {} {id}", what.to_lowercase());
    let content = html! { h1 { (title) } (table(&entries)) };
    let above = [(place.to_owned(), format!("{what}s")), (format!("{place}{id}/"), format!("{what} {id}"))];
    Ok(Page::new(&person, place, &title).below(&above).show(&content))
}

fn source(text: &str) -> Option<Source> {
    SOURCES.into_iter().find(|(_, name, _)| *name == text).map(|(source, ..)| source)
}

/// Ways of a change: value, name in addresses, and words.
const SOURCES: [(Source, &str, &str); 6] = [
    (Source::Panel, "panel", "Panel"),
    (Source::Api, "api", "API"),
    (Source::Import, "import", "Import"),
    (Source::Migrate, "migrate", "Event of migrate"),
    (Source::Job, "job", "Job"),
    (Source::Psql, "psql", "SQL"),
];

fn filters(ask: &Ask) -> Markup {
    html! {
        form.filters method="get" action=(PLACE.path) data-auto {
            div.field {
                label for="filter-kind" { "Kind" }
                select #filter-kind name="kind" {
                    option value="" { "All kinds" }
                    (choices_of(ask, "kind", KINDS.iter().map(|(table, title, _)| (*table, *title))))
                }
            }
            div.field {
                label for="filter-source" { "Way" }
                select #filter-source name="source" {
                    option value="" { "All ways" }
                    (choices_of(ask, "source", SOURCES.iter().map(|(_, name, title)| (*name, *title))))
                }
            }
            div.field { label for="filter-record" { "Record" } input #filter-record name="record" value=[ask.value("record")]; }
            div.field { label for="filter-actor" { "Person (number of the user)" } input #filter-actor name="actor" value=[ask.value("actor")]; }
            div.field { label for="filter-day" { "Day" } input #filter-day type="date" name="day" value=[ask.value("day")]; }
            button.plain type="submit" { "Apply" }
            a href=(PLACE.path) { "Clear all" }
        }
    }
}

fn table(entries: &[Entry]) -> Markup {
    html! {
        @if entries.is_empty() { p.empty { "Nothing has been changed yet that matches." } }
        @else {
            div.table role="region" aria-label="Changes" tabindex="0" {
                table.activity {
                    thead { tr { @for title in ["When", "Who", "What", "Change"] { th scope="col" { (title) } } } }
                    tbody {
                        @for entry in entries.iter().take(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
                            tr {
                                td data-label="When" { (moment_text(entry.at_the_shop)) }
                                td data-label="Who" { (who(entry)) }
                                td data-label="What" { (what(entry)) }
                                td data-label="Change" { (changes(entry)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn who(entry: &Entry) -> Markup {
    let way = SOURCES.iter().find(|(source, ..)| *source == entry.source).map_or("", |(.., words)| *words);
    html! { (entry.actor_name.as_deref().unwrap_or(&entry.actor)) " " span.hint { (way) } }
}

fn what(entry: &Entry) -> Markup {
    let kind = KINDS.iter().find(|(table, ..)| *table == entry.table_name);
    let (title, place) = kind.map_or((entry.table_name.as_str(), None), |(_, title, place)| (*title, *place));
    let name = record_name(entry);
    html! {
        (title) " "
        @if let Some(place) = place { a href=(format!("{place}{}/", entry.record_id)) { (name) } } @else { (name) }
    }
}

/// The record's name, else its key: the weekday of opening hours, the day of a holiday.
fn record_name(entry: &Entry) -> String {
    let weekday = || entry.record_id.parse::<u8>().ok().and_then(|day| Weekday::try_from(day.checked_sub(1)?).ok());
    match (entry.table_name.as_str(), &entry.record_name) {
        (_, Some(name)) => name.clone(),
        ("opening_hours", None) => weekday().map_or_else(|| entry.record_id.clone(), |day| day.to_string()),
        ("shops", None) => String::new(),
        (_, None) => entry.record_id.clone(),
    }
}

/// Columns that the record's name or its kind says already.
const SAID: [&str; 7] = ["shop_id", "service_id", "vehicle_model_id", "weekday", "date", "customer_id", "at"];

/// What was done, and each field with its old and its new value.
fn changes(entry: &Entry) -> Markup {
    let fields = entry.changes.as_object().into_iter().flatten().filter(|(name, _)| !SAID.contains(&name.as_str()));
    html! {
        @match entry.action {
            Action::Insert => { p { "Added" } }
            Action::Delete => { p { "Removed" } }
            Action::Update => {}
        }
        dl.changes {
            @for (name, values) in fields {
                @let [old, new] = [values.get(0), values.get(1)].map(|side| value(name, side));
                dt { (field(name)) }
                dd {
                    @match entry.action {
                        Action::Insert => { (new) }
                        Action::Delete => { (old) }
                        Action::Update => { (old) " → " (new) }
                    }
                }
            }
        }
    }
}

fn field(name: &str) -> String {
    name.trim_end_matches("_paise").trim_end_matches("_at").replace('_', " ")
}

fn value(name: &str, value: Option<&Value>) -> String {
    let is_moment = ["archived_at", "blocked_at", "revoked_at", "erased_at"].contains(&name);
    match value {
        None | Some(Value::Null) if is_moment => "no".to_owned(),
        Some(Value::String(_)) if is_moment => "yes".to_owned(),
        None | Some(Value::Null) => "—".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "—".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(paise)) if name.ends_with("_paise") => {
            paise.as_i64().map_or_else(|| paise.to_string(), |paise| crate::kit::cell::rupees(paise.into()))
        }
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), ToOwned::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    }
}

fn older(ask: &Ask, entries: &[Entry]) -> Markup {
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let last = entries.get(page.saturating_sub(1)).filter(|_| entries.len() > page);
    html! {
        @if let Some(last) = last {
            nav.pages aria-label="Pages" { a rel="next" href=(ask.link(&[("before", &last.id.to_string())])) { "Older ›" } }
        }
    }
}

//! One act on several bookings: a page that names them, then a result for each.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    bookings::{
        bulk::{self, MOST, Outcome},
        status::BookingStatus,
    },
    database::Database,
    ids::BookingId,
};

use super::{PLACE, acts, find, look::status_tag, path, unless_changed::back};
use crate::{
    App,
    kit::{
        ask::Ask,
        form::{Form, problem},
        page::Page,
        rows::Count,
    },
    session::Person,
    words::Words,
};

/// A booking that was chosen, as it is now.
struct Chosen {
    id: BookingId,
    version: i32,
    reference: String,
    customer: String,
    status: BookingStatus,
    is_no_show: bool,
}

/// Names what is about to be done, and to which bookings; nothing is changed yet.
pub(crate) async fn confirm(State(app): State<App>, person: Person, form: Form) -> Result<Response> {
    let Some(to) = acts::status(form.value("to")) else { return Err(Error::NotFound("Status")) };
    let words = person.words;
    let (chosen, count) = match form.value("which") {
        "all" => all_that_match(app.database(), &form).await?,
        _ => ticked(app.database(), &form).await?,
    };
    let was_seen: i64 = form.value("count").parse().unwrap_or_default();
    let refusal = if form.value("which") == "all" && count != was_seen {
        Some(format!(
            "{} bookings match now, and {} did when you opened the list. Nothing was changed: look at the list again.",
            Count(count),
            Count(was_seen)
        ))
    } else if count > i64::try_from(MOST).unwrap_or(i64::MAX) {
        Some(format!("{} bookings are too many: at most {MOST} are changed in one go. Filter for fewer.", Count(count)))
    } else if chosen.is_empty() {
        Some(words.none_ticked().to_owned())
    } else {
        None
    };
    let back = format!("{}?{}", PLACE.path, form.value("query"));
    let title = format!("{}: {}", words.step_to(to), Count(count));
    let content = html! {
        h1 { (title) }
        @if let Some(refusal) = &refusal {
            (problem(Some(refusal)))
            p { a.button href=(back) { (words.back_to_list()) } }
        } @else {
            @if form.value("which") == "all" { p.hint { "All that match: " (filter_text(form.value("query"))) } }
            form method="post" action="/admin/bookings/bulk/act/" {
                input type="hidden" name="back" value=(back);
                div.table role="region" aria-label=(title) tabindex="0" {
                    table {
                        thead { tr { th scope="col" { (words.reference()) } th scope="col" { (words.customer()) } th scope="col" { (words.status()) } } }
                        tbody {
                            @for one in &chosen {
                                tr {
                                    td data-label=(words.reference()) { a href=(path(one.id)) { (one.reference) } input type="hidden" name="row" value=(format!("{}:{}", one.id, one.version)); }
                                    td data-label=(words.customer()) { (one.customer) }
                                    td data-label=(words.status()) { (status_tag(words, one.status, one.is_no_show)) }
                                }
                            }
                        }
                    }
                }
                div.actions {
                    button.danger[to == BookingStatus::Cancelled] type="submit" name="to" value=(to.as_str()) { (words.step_to(to)) ": " (chosen.len()) }
                    a href=(back) { (words.change_nothing()) }
                }
            }
        }
    };
    let status = if refusal.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let above = [(PLACE.path.to_owned(), words.bookings().to_owned())];
    Ok(Page::new(&person, PLACE.path, &title).below(&above).status(status).show(&content))
}

/// Changes each booking in a transaction of its own, if it is as it was shown. Sent twice, the second finds all done.
pub(crate) async fn act(State(app): State<App>, person: Person, form: Form) -> Result<Response> {
    let Some(to) = acts::status(form.value("to")) else { return Err(Error::NotFound("Status")) };
    let words = person.words;
    let rows = rows_of(&form);
    if rows.len() > MOST {
        return Err(Error::field("row", "Too many bookings."));
    }
    let mut results = Vec::with_capacity(rows.len());
    for row in rows {
        results.push((row.0, bulk::set_status(app.database(), row, to, &person.actor(), "").await?));
    }
    let done = results.iter().filter(|(_, (outcome, _))| matches!(outcome, Outcome::Done | Outcome::Same)).count();
    let title = format!("{}: {done} of {}", words.step_to(to), results.len());
    let content = html! {
        h1 { (title) }
        ul.outcomes {
            @for (id, (outcome, status)) in &results {
                li { a href=(path(*id)) { (words.bookings()) " " (id) } " " (show(words, *outcome, *status)) }
            }
        }
        p { a.button href=(back(&form, BookingId(0))) { (words.back_to_list()) } }
    };
    Ok(Page::new(&person, PLACE.path, &title).show(&content))
}

fn show(words: Words, outcome: Outcome, status: Option<BookingStatus>) -> Markup {
    html! {
        @match outcome {
            Outcome::Done => span.tag.good { (words.done()) },
            Outcome::Same => span.tag.quiet { (words.was_so()) },
            Outcome::Changed => span.tag.warning { (words.left_as_is()) },
            Outcome::NotAllowed => span.tag.bad { (words.not_possible()) @if let Some(status) = status { " " (words.status_of(status)) } },
            Outcome::Missing => span.tag.bad { (words.not_found()) },
        }
    }
}

/// The ticked rows: id and version.
fn rows_of(form: &Form) -> Vec<(BookingId, i32)> {
    let rows = form.pairs().iter().filter(|(name, _)| name == "row");
    let parse = |(_, value): &(String, String)| {
        let (id, version) = value.split_once(':')?;
        Some((BookingId(id.parse().ok()?), version.parse().ok()?))
    };
    let mut rows: Vec<(BookingId, i32)> = rows.filter_map(parse).collect();
    rows.sort_unstable();
    rows.dedup_by_key(|(id, _)| *id);
    rows
}

async fn ticked(database: &Database, form: &Form) -> Result<(Vec<Chosen>, i64)> {
    let ids: Vec<i64> = rows_of(form).into_iter().map(|(id, _)| id.0).collect();
    let chosen = sqlx::query_as!(
        Chosen,
        r#"
        select id, version, reference, customer_name as customer, booking_status as "status: BookingStatus", is_no_show
        from bookings where id = any($1) order by appointment_date, appointment_time, id
        "#,
        &ids
    )
    .fetch_all(&database.pool())
    .await?;
    let count = i64::try_from(chosen.len()).unwrap_or(i64::MAX);
    Ok((chosen, count))
}

async fn all_that_match(database: &Database, form: &Form) -> Result<(Vec<Chosen>, i64)> {
    let ask = Ask::of_query(PLACE.path, form.value("query"), MOST);
    let found = find::rows(database, &ask).await?;
    let chosen = found.rows.into_iter().map(|row| Chosen {
        id: row.id,
        version: row.version,
        reference: row.reference,
        customer: row.customer,
        status: row.status,
        is_no_show: row.is_no_show,
    });
    Ok((chosen.collect(), found.count))
}

/// A filter in words, as its address has it.
fn filter_text(query: &str) -> String {
    let pairs: Vec<String> =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| format!("{name}: {value}")).collect();
    if pairs.is_empty() { "no filter".to_owned() } else { pairs.join(", ") }
}

//! The page of a day's cash.

use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Result,
    bookings::LONGEST_REASON,
    money::Money,
    payments::drawer::{self, Closed, Drawer, Movement, State as Day},
};

use super::{
    PLACE,
    days::{self, Row},
};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{Cell, rupees},
        form::{Form, Input, once, problem},
        page::Page,
    },
    payments::by,
    session::Person,
    words::Words,
};

/// The days that the page lists.
const RECENT: i64 = 14;

pub(crate) async fn show(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let notice = ask.value("done").map(|_| person.words.was_closed());
    page(&app, &person, ask.day("day"), &Form::default().said_in(person.words), notice, StatusCode::OK).await
}

/// The page of a day, with a form that was refused.
pub(super) async fn page(
    app: &App,
    person: &Person,
    day: Option<NaiveDate>,
    form: &Form,
    notice: Option<&str>,
    status: StatusCode,
) -> Result<Response> {
    let drawer = drawer::open(&app.database().pool(), day).await?;
    let recent = days::rows(app.database(), &Ask::default(), RECENT).await?;
    let words = person.words;
    let title = format!("{} {}", words.cash_of(), words.day(drawer.date));
    let content = html! {
        div.heading {
            h1 { (title) }
            (tag(words, &drawer.state).markup())
        }
        (choose(words, &drawer))
        (problem(form.fault("form").or(form.fault("form_key"))))
        (movements(words, &drawer))
        (sum(words, &drawer))
        (end_of_day(&drawer, person, form))
        (earlier(words, &recent.rows))
    };
    Ok(Page::new(person, PLACE.path, &title).notice(notice).status(status).show(&content))
}

fn tag(words: Words, state: &Day) -> Cell {
    use crate::kit::cell::Tone;
    match state {
        Day::Open => Cell::Tag(Tone::Quiet, words.open()),
        Day::Closed(_) => Cell::Tag(Tone::Good, words.counted_day()),
        Day::Passed(_) => Cell::Tag(Tone::Quiet, words.not_counted()),
        Day::Future => Cell::Tag(Tone::Quiet, words.to_come()),
    }
}

fn choose(words: Words, drawer: &Drawer) -> Markup {
    let to = |day: Option<NaiveDate>| day.map(|day| format!("{}?day={day}", PLACE.path));
    html! {
        form.filters method="get" action=(PLACE.path) data-auto {
            div.field { label for="day" { (words.day_word()) } input #day type="date" name="day" value=(drawer.date) max=(drawer.today); }
            button.plain type="submit" { (words.show_day()) }
        }
        p.links {
            @if let Some(before) = to(drawer.date.pred_opt()) { a href=(before) { "‹ " (words.previous_day()) } }
            @if drawer.date < drawer.today {
                @if let Some(after) = to(drawer.date.succ_opt()) { a href=(after) { (words.next_day()) " ›" } }
                a href=(PLACE.path) { (words.today()) }
            }
        }
    }
}

fn movements(words: Words, drawer: &Drawer) -> Markup {
    html! {
        @if drawer.movements.is_empty() {
            p.empty {
                @match &drawer.state {
                    Day::Passed(later) => { (words.was_not_counted()) " " a href=(format!("{}?day={later}", PLACE.path)) { (words.day(*later)) } "." }
                    Day::Future => { (words.not_yet()) }
                    _ => { (words.no_cash()) }
                }
            }
        } @else {
            div.table role="region" aria-label=(words.cash()) tabindex="0" {
                table {
                    thead { tr { th scope="col" { (words.booking()) } th scope="col" { (words.when()) } th scope="col" { (words.customer()) } th.num scope="col" { (words.taken()) } th.num scope="col" { (words.given_back()) } th scope="col" { (words.by()) } } }
                    tbody { @for movement in &drawer.movements { (row(words, movement)) } }
                }
            }
        }
    }
}

fn row(words: Words, movement: &Movement) -> Markup {
    html! {
        tr {
            td data-label=(words.booking()) { a href=(format!("/admin/bookings/{}/", movement.booking_id)) { (movement.reference) } }
            td data-label=(words.when()) { (words.moment(movement.at)) }
            td data-label=(words.customer()) { (movement.customer) }
            td.num data-label=(words.taken()) { @if movement.amount_paise > 0 { (rupees(movement.amount_paise.into())) } }
            td.num data-label=(words.given_back()) { @if movement.amount_paise < 0 { (rupees((-movement.amount_paise).into())) } }
            td data-label=(words.by()) { (by(&movement.by)) }
        }
    }
}

/// What must lie in the drawer; of a closed day also what was counted.
fn sum(words: Words, drawer: &Drawer) -> Markup {
    let moved = |is_taken: bool| -> Money {
        let amounts = drawer.movements.iter().map(|movement| movement.amount_paise);
        amounts.filter(|amount| (*amount > 0) == is_taken).sum::<i64>().into()
    };
    let left = drawer
        .day_before
        .map_or_else(|| words.left_before().to_owned(), |day| format!("{} {}", words.left_on(), words.day(day)));
    let mut rows = vec![
        (left, drawer.left_before),
        (words.taken().to_owned(), moved(true)),
        (words.given_back().to_owned(), moved(false)),
        (words.expected().to_owned(), drawer.expected),
    ];
    if let Day::Closed(closed) = &drawer.state {
        rows.push((words.counted().to_owned(), closed.counted));
        rows.push((words.difference().to_owned(), difference(closed)));
        rows.push((words.left_for_change().to_owned(), closed.left));
        rows.push((words.taken_out().to_owned(), (closed.counted.paise() - closed.left.paise()).into()));
    }
    html! {
        @if !matches!(drawer.state, Day::Passed(_) | Day::Future) {
            h2 { (words.drawer()) }
            table.sum { tbody { @for (title, amount) in rows { tr.total[title == words.expected()] { th scope="row" { (title) } td.num { (rupees(amount)) } } } } }
        }
    }
}

fn difference(closed: &Closed) -> Money {
    (closed.counted.paise() - closed.expected.paise()).into()
}

fn end_of_day(drawer: &Drawer, person: &Person, form: &Form) -> Markup {
    let words = person.words;
    html! {
        @match &drawer.state {
            Day::Closed(closed) => {
                p { (words.closed_by()) " " (by(&closed.by)) ", " (words.moment(closed.at)) "." @if !closed.reason.is_empty() { " " (words.reason_of_difference()) " " q { (closed.reason) } } }
            }
            Day::Open if person.is_admin => { (count_form(words, drawer, form)) }
            Day::Open => { p.hint { (words.admin_counts()) } }
            Day::Passed(_) | Day::Future => {}
        }
    }
}

fn count_form(words: Words, drawer: &Drawer, form: &Form) -> Markup {
    html! {
        form.stack.drawer method="post" action=(PLACE.path) {
            h2 { (words.count_drawer()) }
            input type="hidden" name="date" value=(drawer.date);
            input type="hidden" name="expected" value=(drawer.expected.paise());
            (once())
            (Input::new("counted", words.counted_in_rupees()).required().numeric().max(14).hint(words.all_notes_and_coins()).in_form(form))
            (Input::new("left", words.left_in_rupees()).required().numeric().max(14).hint(words.what_stays()).in_form(form))
            (Input::new("reason", words.why_different()).max(LONGEST_REASON).hint(&format!("{} {}.", words.needed_unless(), rupees(drawer.expected))).in_form(form))
            div.actions { button type="submit" { (words.close_day()) " " (words.day(drawer.date)) } }
            p.hint { (words.closed_stays()) }
        }
    }
}

fn earlier(words: Words, rows: &[Row]) -> Markup {
    html! {
        section.past {
            h2 { (words.closed_days()) }
            @if rows.is_empty() { p.empty { (words.no_closed_day()) } }
            @else {
                div.table role="region" aria-label=(words.closed_days()) tabindex="0" {
                    table {
                        thead { tr { th scope="col" { (words.day_word()) } th.num scope="col" { (words.expected()) } th.num scope="col" { (words.counted()) } th.num scope="col" { (words.difference()) } } }
                        tbody {
                            @for day in rows {
                                tr {
                                    td data-label=(words.day_word()) { a href=(format!("{}?day={}", PLACE.path, day.date)) { (words.day(day.date)) } }
                                    td.num data-label=(words.expected()) { (rupees(day.expected)) }
                                    td.num data-label=(words.counted()) { (rupees(day.counted)) }
                                    td.num data-label=(words.difference()) { (rupees(day.difference())) }
                                }
                            }
                        }
                    }
                }
                p.links { a href="/admin/cash/days/" { (words.all_closed_days()) } }
            }
        }
    }
}

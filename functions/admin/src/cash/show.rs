//! The page of a day's cash.

use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Result,
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
        cell::{Cell, day_text, moment_text, rupees},
        form::{Form, Input, once, problem},
        page::Page,
    },
    payments::by,
    session::Person,
};

/// The days that the page lists.
const RECENT: i64 = 14;
const EXPECTED: &str = "Expected in the drawer";

pub(crate) async fn show(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let notice = ask.value("done").map(|_| "Closed. What is entered from now on falls into the next day.");
    page(&app, &person, ask.day("day"), &Form::default(), notice, StatusCode::OK).await
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
    let title = format!("Cash of {}", day_text(drawer.date));
    let content = html! {
        div.heading {
            h1 { (title) }
            (tag(&drawer.state).markup())
        }
        (choose(&drawer))
        (problem(form.fault("form").or(form.fault("form_key"))))
        (movements(&drawer))
        (sum(&drawer))
        (end_of_day(&drawer, person, form))
        (earlier(&recent.rows))
    };
    Ok(Page::new(person, PLACE.path, &title).notice(notice).status(status).show(&content))
}

fn tag(state: &Day) -> Cell {
    use crate::kit::cell::Tone;
    match state {
        Day::Open => Cell::Tag(Tone::Quiet, "Open"),
        Day::Closed(_) => Cell::Tag(Tone::Good, "Closed"),
        Day::Passed(_) => Cell::Tag(Tone::Quiet, "Not counted"),
        Day::Future => Cell::Tag(Tone::Quiet, "To come"),
    }
}

fn choose(drawer: &Drawer) -> Markup {
    let to = |day: Option<NaiveDate>| day.map(|day| format!("{}?day={day}", PLACE.path));
    html! {
        form.filters method="get" action=(PLACE.path) data-auto {
            div.field { label for="day" { "Day" } input #day type="date" name="day" value=(drawer.date) max=(drawer.today); }
            button.plain type="submit" { "Show day" }
        }
        p.links {
            @if let Some(before) = to(drawer.date.pred_opt()) { a href=(before) { "‹ Day before" } }
            @if drawer.date < drawer.today {
                @if let Some(after) = to(drawer.date.succ_opt()) { a href=(after) { "Day after ›" } }
                a href=(PLACE.path) { "Today" }
            }
        }
    }
}

fn movements(drawer: &Drawer) -> Markup {
    html! {
        @if drawer.movements.is_empty() {
            p.empty {
                @match &drawer.state {
                    Day::Passed(later) => { "This day was not counted. What was taken is in the count of " a href=(format!("{}?day={later}", PLACE.path)) { (day_text(*later)) } "." }
                    Day::Future => "This day has not come yet.",
                    _ => "No cash was taken. Record cash on the page of a booking, and it appears here.",
                }
            }
        } @else {
            div.table role="region" aria-label="Cash taken and given back" tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Booking" } th scope="col" { "When" } th scope="col" { "Customer" } th.num scope="col" { "Taken" } th.num scope="col" { "Given back" } th scope="col" { "By" } } }
                    tbody { @for movement in &drawer.movements { (row(movement)) } }
                }
            }
        }
    }
}

fn row(movement: &Movement) -> Markup {
    html! {
        tr {
            td data-label="Booking" { a href=(format!("/admin/bookings/{}/", movement.booking_id)) { (movement.reference) } }
            td data-label="When" { (moment_text(movement.at)) }
            td data-label="Customer" { (movement.customer) }
            td.num data-label="Taken" { @if movement.amount_paise > 0 { (rupees(movement.amount_paise.into())) } }
            td.num data-label="Given back" { @if movement.amount_paise < 0 { (rupees((-movement.amount_paise).into())) } }
            td data-label="By" { (by(&movement.by)) }
        }
    }
}

/// What must lie in the drawer; of a closed day also what was counted.
fn sum(drawer: &Drawer) -> Markup {
    let moved = |is_taken: bool| -> Money {
        let amounts = drawer.movements.iter().map(|movement| movement.amount_paise);
        amounts.filter(|amount| (*amount > 0) == is_taken).sum::<i64>().into()
    };
    let left = drawer.day_before.map_or_else(|| "Left before".to_owned(), |day| format!("Left on {}", day_text(day)));
    let mut rows = vec![
        (left, drawer.left_before),
        ("Taken".to_owned(), moved(true)),
        ("Given back".to_owned(), moved(false)),
        (EXPECTED.to_owned(), drawer.expected),
    ];
    if let Day::Closed(closed) = &drawer.state {
        rows.push(("Counted".to_owned(), closed.counted));
        rows.push(("Difference".to_owned(), difference(closed)));
        rows.push(("Left for change".to_owned(), closed.left));
        rows.push(("Taken out".to_owned(), (closed.counted.paise() - closed.left.paise()).into()));
    }
    html! {
        @if !matches!(drawer.state, Day::Passed(_) | Day::Future) {
            h2 { "Drawer" }
            table.sum { tbody { @for (title, amount) in rows { tr.total[title == EXPECTED] { th scope="row" { (title) } td.num { (rupees(amount)) } } } } }
        }
    }
}

fn difference(closed: &Closed) -> Money {
    (closed.counted.paise() - closed.expected.paise()).into()
}

fn end_of_day(drawer: &Drawer, person: &Person, form: &Form) -> Markup {
    html! {
        @match &drawer.state {
            Day::Closed(closed) => {
                p { "Closed by " (by(&closed.by)) ", " (moment_text(closed.at)) "." @if !closed.reason.is_empty() { " Reason of the difference: " q { (closed.reason) } } }
            }
            Day::Open if person.is_admin => { (count_form(drawer, form)) }
            Day::Open => { p.hint { "An administrator counts the drawer and closes the day." } }
            Day::Passed(_) | Day::Future => {}
        }
    }
}

fn count_form(drawer: &Drawer, form: &Form) -> Markup {
    html! {
        form.stack.drawer method="post" action=(PLACE.path) {
            h2 { "Count the drawer" }
            input type="hidden" name="date" value=(drawer.date);
            input type="hidden" name="expected" value=(drawer.expected.paise());
            (once())
            (Input::new("counted", "Counted, in rupees").required().numeric().max(14).hint("All notes and coins in the drawer.").in_form(form))
            (Input::new("left", "Left for change, in rupees").required().numeric().max(14).hint("What stays in the drawer. The rest is taken out.").in_form(form))
            (Input::new("reason", "Reason of a difference").max(500).hint(&format!("Needed if the count is not {}.", rupees(drawer.expected))).in_form(form))
            div.actions { button type="submit" { "Close " (day_text(drawer.date)) } }
            p.hint { "A closed day does not change. What is entered later falls into the next day." }
        }
    }
}

fn earlier(rows: &[Row]) -> Markup {
    html! {
        section.past {
            h2 { "Closed days" }
            @if rows.is_empty() { p.empty { "No day is closed yet. A day is closed here once its drawer was counted." } }
            @else {
                div.table role="region" aria-label="Closed days" tabindex="0" {
                    table {
                        thead { tr { th scope="col" { "Day" } th.num scope="col" { "Expected" } th.num scope="col" { "Counted" } th.num scope="col" { "Difference" } } }
                        tbody {
                            @for day in rows {
                                tr {
                                    td data-label="Day" { a href=(format!("{}?day={}", PLACE.path, day.date)) { (day_text(day.date)) } }
                                    td.num data-label="Expected" { (rupees(day.expected)) }
                                    td.num data-label="Counted" { (rupees(day.counted)) }
                                    td.num data-label="Difference" { (rupees(day.difference())) }
                                }
                            }
                        }
                    }
                }
                p.links { a href="/admin/cash/days/" { "All closed days" } }
            }
        }
    }
}

//! The page of the reports, and its tables as files.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use shared::{Error, Result, money::Money};

use super::{
    chart::{self, Bar},
    days::{self, Days, Sums},
    period::{By, Period},
    tables, work,
};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::rupees,
        page::{Page, Place},
    },
    session::Person,
    words::day_text,
};

const PLACE: Place = Place { path: "/admin/reports/", title: "Reports" };

pub(crate) async fn show(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let days = days::load(app.database(), &ask).await?;
    let work = work::load(app.database(), &days.period).await?;
    let period = days.period;
    let before = period.from.pred_opt().unwrap_or(period.from);
    let content = html! {
        h1 { (PLACE.title) }
        (filters(&period))
        p.hint {
            (day_text(period.from)) " – " (day_text(period.to)) ", beside " (day_text(period.since)) " – " (day_text(before))
            ". Jobs count on the day of the appointment"
            @if person.is_admin { ", money on the day on which it was paid or given back" } "."
        }
        @for table in tables::all(&days, &work, person.is_admin) {
            section {
                h2 { (table.place.title) }
                @if table.key == "time" { (charts(&days, person.is_admin)) }
                @if table.key == "use" { p.hint { "Of the hours and places of today, without holidays." } }
                @if table.rows.is_empty() { p.empty { "Nothing was finished in this period. Choose a longer one." } }
                @else { (table.show(&period.file(table.key))) }
            }
        }
    };
    Ok(Page::new(&person, PLACE.path, PLACE.title).show(&content))
}

pub(crate) async fn file(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let wanted = ask.value("table").unwrap_or("overview");
    if !person.is_admin && tables::MONEY.contains(&wanted) {
        return Err(Error::PermissionDenied);
    }
    let days = days::load(app.database(), &ask).await?;
    let work = work::load(app.database(), &days.period).await?;
    let table = tables::all(&days, &work, person.is_admin).into_iter().find(|table| table.key == wanted);
    table.ok_or(Error::NotFound("Table"))?.file()
}

fn filters(period: &Period) -> Markup {
    html! {
        form.filters method="get" action=(PLACE.path) data-auto {
            div.field {
                label for="filter-by" { "By" }
                select #filter-by name="by" {
                    @for (by, name, title) in By::ALL { option value=(name) selected[by == period.by] { (title) } }
                }
            }
            div.field { label for="filter-from" { "From" } input #filter-from type="date" name="from" value=(period.from); }
            div.field { label for="filter-to" { "To" } input #filter-to type="date" name="to" value=(period.to); }
            button.plain type="submit" { "Apply" }
            a href=(PLACE.path) { "Last 30 days" }
        }
    }
}

fn charts(days: &Days, is_admin: bool) -> Markup {
    let by = days.period.by;
    let bars = |value: &dyn Fn(&Sums) -> i64, words: &dyn Fn(i64) -> String| -> Vec<Bar> {
        let bar = |part: &days::Part| {
            let value = value(&part.sums);
            Bar { label: by.label(part.from, part.to), value, words: words(value) }
        };
        days.parts.iter().map(bar).collect()
    };
    let each = by.words().0;
    let bookings = bars(&|sums| sums.bookings, &|count| count.to_string());
    let revenue = bars(&|sums| sums.revenue().kept(), &|paise| rupees(Money::from_paise(paise)));
    html! {
        (chart::bars("bookings", "Bookings", &format!("Bookings of each {each}. The table below has the numbers."), &bookings))
        @if is_admin {
            (chart::bars("revenue", "Revenue", &format!("Revenue of each {each}. The table below has the numbers."), &revenue))
        }
    }
}

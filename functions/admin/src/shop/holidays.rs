//! Holidays: days on which the shop is closed.

use axum::{extract::State, response::Response};
use chrono::{Datelike, NaiveDate};
use lambda_http::http::StatusCode;
use maud::html;
use shared::{
    Error, Result,
    bookings::outside::LeftOutside,
    catalogue::{self, hours},
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::save::{Saved, button, confirmation, save, warning};
use crate::{
    App,
    catalogue::NOTHING_CHANGED,
    kit::{
        ask::Ask,
        form::{Form, Input, problem},
        page::{Page, redirect},
    },
    session::Person,
    words::day_text,
};

const PATH: &str = "/admin/shop/holidays/";
/// The longest range that one form adds.
const LONGEST: i64 = 60;

/// One day, or a range of days, by one name.
struct Holidays {
    from: NaiveDate,
    to: NaiveDate,
    name: String,
}

impl Read for Holidays {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (name, from, to) = (fields.text("name", 100), fields.value("from"), fields.value_if_any("to"));
        let from: NaiveDate = from?;
        let to = to.unwrap_or(from);
        if to < from {
            fields.faults.add("to", "The last day is before the first.");
        } else if (to - from).num_days() >= LONGEST {
            fields.faults.add("to", format!("Add at most {LONGEST} days at once."));
        }
        if !(2000..=2200).contains(&from.year()) {
            fields.faults.add("from", "Enter a day of this century.");
        }
        Some(Self { from, to, name: name? })
    }
}

pub(crate) async fn page(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let notice = match ask.value("done") {
        Some("added") => Some("Added. Nothing can be booked on these days."),
        Some("removed") => Some("Removed. The day can be booked again."),
        _ => None,
    };
    show(&app, &person, &Form::default(), &[], notice, StatusCode::OK).await
}

pub(crate) async fn add(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(new) = form.read::<Holidays>() else {
        return show(&app, &person, &form, &[], None, StatusCode::BAD_REQUEST).await;
    };
    let work =
        async |connection: &mut PgConnection| Ok(hours::add_holidays(connection, new.from, new.to, &new.name).await?);
    match save(&app, &person, &form, work).await? {
        Saved::Done => Ok(redirect(&format!("{PATH}?done=added"))),
        Saved::WouldLeave(left) => show(&app, &person, &form, &left, None, StatusCode::CONFLICT).await,
        Saved::Stale(_) => Err(Error::internal("holidays have no version")),
        Saved::Faulty(faults) => {
            form.blame(faults);
            let status = form.refused();
            show(&app, &person, &form, &[], None, status).await
        }
    }
}

/// A day that is no holiday any more.
struct Day(NaiveDate);

impl Read for Day {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.value("date").map(Self)
    }
}

pub(crate) async fn remove(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(Day(date)) = form.read() else { return Err(Error::NotFound("Holiday")) };
    let work =
        async |connection: &mut PgConnection| Ok::<_, Error>(((), hours::remove_holiday(connection, date).await?));
    match catalogue::change(app.database(), &app.redis, &person.author(), work).await {
        Ok(_) => Ok(redirect(&format!("{PATH}?done=removed"))),
        Err(Error::Redis(_)) => {
            form.blame(shared::Faults::from(("form", NOTHING_CHANGED)));
            show(&app, &person, &form, &[], None, StatusCode::SERVICE_UNAVAILABLE).await
        }
        Err(error) => Err(error),
    }
}

async fn show(
    app: &App,
    person: &Person,
    form: &Form,
    left: &[LeftOutside],
    notice: Option<&str>,
    status: StatusCode,
) -> Result<Response> {
    let days = sqlx::query!(
        r#"
        select date, name, date < shop_clock(now())::date as "is_past!"
        from holidays where shop_id = shop_id() order by date desc limit 400
        "#
    )
    .fetch_all(&app.database().pool())
    .await?;
    let (past, mut to_come): (Vec<_>, Vec<_>) = days.into_iter().partition(|day| day.is_past);
    to_come.reverse();
    let content = html! {
        h1 { "Holidays" }
        p.links { a href="/admin/shop/hours/" { "Opening hours" } a href="/admin/activity/?kind=holidays" { "History" } }
        (problem(form.fault("form")))
        (warning(left))
        @if to_come.is_empty() { p.empty { "No holiday is entered. Customers can book every day with opening hours." } }
        @else {
            table.holidays {
                thead { tr { th scope="col" { "Day" } th scope="col" { "Name" } th scope="col" { span.visually-hidden { "Action" } } } }
                tbody {
                    @for day in &to_come {
                        tr {
                            td data-label="Day" { time datetime=(day.date) { (day_text(day.date)) } }
                            td data-label="Name" { (day.name) }
                            td {
                                @if person.is_admin {
                                    form method="post" action=(format!("{PATH}remove/")) {
                                        input type="hidden" name="date" value=(day.date);
                                        button.plain type="submit" aria-label=(format!("Remove {} {}", day_text(day.date), day.name)) { "Remove" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if person.is_admin {
            form.stack method="post" action=(PATH) {
                h2 { "Add holidays" }
                (confirmation(left))
                (Input::new("name", "Name").required().max(100).in_form(form))
                (Input::new("from", "First day").kind("date").required().in_form(form))
                (Input::new("to", "Last day").kind("date").hint("Leave it empty for one day.").in_form(form))
                div.actions { (button(left, "holidays")) }
            }
        }
        @if !past.is_empty() {
            details { summary { "Past holidays" } ul { @for day in &past { li { (day_text(day.date)) " " (day.name) } } } }
        }
    };
    Ok(Page::new(person, PATH, "Holidays").notice(notice).status(status).show(&content))
}

//! Opening hours by weekday.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Result,
    bookings::outside::LeftOutside,
    catalogue::hours::{self, OpeningHours},
    day_minute::DayMinute,
    http::{Fields, Read},
};
use sqlx::PgConnection;

use super::save::{Saved, Undone, button, confirmation, save, warning};
use crate::{
    App,
    kit::{
        ask::Ask,
        form::{Form, problem},
        page::{Page, redirect},
        stale::{Present, stale, version},
    },
    session::Person,
};

const PATH: &str = "/admin/shop/hours/";

/// Name of a weekday, and of its inputs.
struct Weekday {
    number: i16,
    title: &'static str,
    /// The name of its faults.
    key: &'static str,
    opens: &'static str,
    closes: &'static str,
}

const WEEK: [Weekday; 7] = [
    Weekday { number: 1, title: "Monday", key: "monday", opens: "monday_opens", closes: "monday_closes" },
    Weekday { number: 2, title: "Tuesday", key: "tuesday", opens: "tuesday_opens", closes: "tuesday_closes" },
    Weekday { number: 3, title: "Wednesday", key: "wednesday", opens: "wednesday_opens", closes: "wednesday_closes" },
    Weekday { number: 4, title: "Thursday", key: "thursday", opens: "thursday_opens", closes: "thursday_closes" },
    Weekday { number: 5, title: "Friday", key: "friday", opens: "friday_opens", closes: "friday_closes" },
    Weekday { number: 6, title: "Saturday", key: "saturday", opens: "saturday_opens", closes: "saturday_closes" },
    Weekday { number: 7, title: "Sunday", key: "sunday", opens: "sunday_opens", closes: "sunday_closes" },
];

struct Week(Vec<OpeningHours>);

impl Read for Week {
    fn read(fields: &mut Fields) -> Option<Self> {
        let mut week = Vec::new();
        for day in &WEEK {
            let ends = [day.opens, day.closes].map(|end| fields.value_if_any::<DayMinute>(end));
            match ends {
                [Some(opens_at), Some(closes_at)] => {
                    week.push(OpeningHours { weekday: day.number, opens_at, closes_at });
                }
                [None, None] => {}
                _ if [day.opens, day.closes].iter().any(|end| !fields.faults.of(end).is_empty()) => {}
                _ => fields.faults.add(day.key, "Enter both times, or none on a closed day."),
            }
        }
        Some(Self(week))
    }
}

pub(crate) async fn page(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let mut connection = app.database().pool().acquire().await?;
    let form = stored(&mut connection).await?.form();
    let notice = ask.value("done").map(|_| "Saved. Slots follow these hours now.");
    Ok(show(&person, &form, &[], notice, StatusCode::OK))
}

pub(crate) async fn change(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(Week(week)) = form.read() else {
        return Ok(show(&person, &form, &[], None, StatusCode::BAD_REQUEST));
    };
    let work = async |connection: &mut PgConnection| {
        let present = stored(connection).await?;
        if present.is_newer_than(&form) {
            return Err(Undone::Stale(present));
        }
        Ok(hours::set_week(connection, &week).await?)
    };
    match save(&app, &person, &form, work).await? {
        Saved::Done => Ok(redirect(&format!("{PATH}?done=saved"))),
        Saved::WouldLeave(left) => Ok(show(&person, &form, &left, None, StatusCode::CONFLICT)),
        Saved::Stale(present) => {
            present.show_beside(&mut form);
            Ok(show(&person, &form, &[], None, StatusCode::CONFLICT))
        }
        Saved::Faulty(faults) => {
            form.blame(faults);
            Ok(show(&person, &form, &[], None, form.refused()))
        }
    }
}

/// The hours by the names of the inputs; empty on closed days.
async fn stored(connection: &mut PgConnection) -> sqlx::Result<Present> {
    let rows = sqlx::query!(
        r#"
        select weekday, opens_at as "opens_at: DayMinute", closes_at as "closes_at: DayMinute"
        from opening_hours where shop_id = shop_id()
        "#
    )
    .fetch_all(connection)
    .await?;
    let of = |day: &Weekday| {
        let row = rows.iter().find(|row| row.weekday == day.number);
        let text = |end: Option<DayMinute>| end.map(|end| end.to_string()).unwrap_or_default();
        [(day.opens, text(row.map(|row| row.opens_at))), (day.closes, text(row.map(|row| row.closes_at)))]
    };
    Ok(Present::untimed(WEEK.iter().flat_map(of).collect()))
}

fn show(person: &Person, form: &Form, left: &[LeftOutside], notice: Option<&str>, status: StatusCode) -> Response {
    let content = html! {
        h1 { "Opening hours" }
        p.links { a href="/admin/shop/holidays/" { "Holidays" } a href="/admin/activity/?kind=opening_hours" { "History" } }
        p.hint { "Times are multiples of 15 minutes; midnight is 24:00. Leave both empty on a closed day." }
        (problem(form.fault("form")))
        (stale(form, "the hours", PATH))
        (warning(left))
        form method="post" action=(PATH) {
            fieldset disabled[!person.is_admin] {
                (version(form))
                (confirmation(left))
                table.week {
                    thead { tr { th scope="col" { "Day" } th scope="col" { "Opens" } th scope="col" { "Closes" } } }
                    tbody { @for day in &WEEK { (row(form, day)) } }
                }
                datalist #quarters {
                    @for minutes in (0..=1440).step_by(30) {
                        @if let Some(time) = DayMinute::at(minutes) { option value=(time) {} }
                    }
                }
                @if person.is_admin { div.actions { (button(left, "hours")) a href=(PATH) { "Cancel" } } }
            }
        }
    };
    Page::new(person, PATH, "Opening hours").notice(notice).status(status).show(&content)
}

fn row(form: &Form, day: &Weekday) -> Markup {
    let fault = [day.key, day.opens, day.closes].into_iter().find_map(|name| form.fault(name));
    let theirs = [day.opens, day.closes].map(|name| form.theirs(name));
    html! {
        tr {
            th scope="row" {
                (day.title)
                @if let Some(fault) = fault { p.fault id=(format!("about-{}", day.key)) { (fault) } }
                @if theirs.iter().any(Option::is_some) {
                    p.theirs { "Now saved: " strong { (theirs[0].unwrap_or("…")) "–" (theirs[1].unwrap_or("…")) } }
                }
            }
            @for (name, end) in [(day.opens, "opens"), (day.closes, "closes")] {
                td {
                    input type="text" name=(name) value=(form.value(name)) aria-label=(format!("{} {end}", day.title)) list="quarters"
                        placeholder="closed" size="6" maxlength="5" autocomplete="off"
                        aria-invalid=[fault.map(|_| "true")] aria-describedby=[fault.map(|_| format!("about-{}", day.key))];
                }
            }
        }
    }
}

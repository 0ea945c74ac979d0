//! Moving: the days that are open, the free times of one, and the act.

use axum::{extract::State, response::Response};
use chrono::{Days, NaiveDate, NaiveTime, Utc};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Result,
    bookings::{
        Booking, booking,
        facts::{self, Question},
        free_slots::available,
        links::Scope,
        own,
        reschedule::Appointment,
    },
    http::{Fields, Query, Read},
};
use sqlx::PgConnection;

use crate::{
    App,
    changing::change,
    form::Form,
    frame::Shop,
    holder::Holder,
    page::{Page, Said, redirect, way_back},
    show,
};

/// Days that are shown without asking for another.
const SHOWN: usize = 12;
/// Days to look through for open ones; the horizon of a shop may be nearer.
const LOOKED_AT: u64 = 120;

pub(crate) struct Day(Option<NaiveDate>);

impl Read for Day {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.value_if_any("date")))
    }
}

pub(crate) async fn page(State(app): State<App>, holder: Holder, Query(Day(date)): Query<Day>) -> Result<Response> {
    holder.require(Scope::Change)?;
    draw(&app, &holder, date, Said::default()).await
}

pub(crate) struct Move {
    version: Option<i64>,
    date: Option<NaiveDate>,
    time: Option<NaiveTime>,
}

impl Read for Move {
    fn read(fields: &mut Fields) -> Option<Self> {
        let version = fields.integer_if_sent("version");
        Some(Self { version, date: fields.value_if_any("date"), time: fields.value_if_any("time") })
    }
}

pub(crate) async fn move_to(
    State(app): State<App>,
    holder: Holder,
    Form(Move { version, date, time }): Form<Move>,
) -> Result<Response> {
    let (Some(date), Some(time)) = (date, time) else {
        holder.require(Scope::Change)?;
        let said = Said::refused(holder.words.choose_time(), StatusCode::BAD_REQUEST);
        return draw(&app, &holder, date, said).await;
    };
    let version = version.and_then(|version| i32::try_from(version).ok());
    let wanted = |booking: &Booking| Appointment { date, time, ..booking.appointment() };
    let is_done = |booking: &Booking| booking.appointment() == wanted(booking);
    let work = async |connection: &mut PgConnection, booking: Booking| {
        let appointment = wanted(&booking);
        own::move_to(connection, booking, appointment, app.cutoff, app.unproved).await
    };
    match change(&app, &holder, version, is_done, work).await? {
        None => Ok(redirect(&holder.path("?done=moved"))),
        Some(hindrance) => draw(&app, &holder, Some(date), hindrance.said(holder.words)).await,
    }
}

/// The page, or the first one if the booking cannot be moved any more.
async fn draw(app: &App, holder: &Holder, date: Option<NaiveDate>, said: Said) -> Result<Response> {
    let pool = app.database().pool();
    let booking = booking::find(&pool, holder.link.booking_id).await?;
    if !own::may(&pool, &booking, app.cutoff).await?.reschedule {
        return if said.problem.is_some() {
            show::page(app, holder, said).await
        } else {
            Ok(redirect(&holder.path("")))
        };
    }
    let words = holder.words;
    let shop = Shop::load(app.database()).await?;
    let days = open_days(app).await?;
    let date = date.or_else(|| days.iter().find(|day| **day >= booking.appointment_date).copied());
    let date = date.or_else(|| days.first().copied()).unwrap_or(booking.appointment_date);
    let times = free_times(app, &booking, date).await?;
    let content = html! {
        section {
            h1 { (words.reschedule()) }
            p { (words.now_booked()) " " strong { (words.0.moment(booking.appointment_date.and_time(booking.appointment_time))) } }
            h2 { (words.day()) }
            ul.chips {
                @for day in days.iter().take(SHOWN) {
                    li { a href=(holder.path(&format!("move/?date={day}"))) aria-current=[(*day == date).then_some("date")] { (words.0.day(*day)) } }
                }
            }
            form.row method="get" action=(holder.path("move/")) {
                div.field {
                    label for="date" { (words.other_day()) }
                    input #date type="date" name="date" value=(date) min=[days.first()] max=[days.last()] required;
                }
                div.field { button.plain type="submit" { (words.show_day()) } }
            }
        }
        (choice(holder, &booking, date, &times))
        (way_back(holder, words))
    };
    Ok(Page { holder, shop: &shop, title: words.reschedule(), said }.show(&content))
}

fn choice(holder: &Holder, booking: &Booking, date: NaiveDate, times: &[NaiveTime]) -> Markup {
    let words = holder.words;
    html! {
        section {
            @if times.is_empty() { h2 { (words.0.day(date)) } p { (words.no_time()) } }
            @else {
                form method="post" action=(holder.path("move/")) {
                    input type="hidden" name="version" value=(booking.version);
                    input type="hidden" name="date" value=(date);
                    fieldset.chips {
                        legend { (words.time()) ": " (words.0.day(date)) }
                        @for time in times {
                            @let time = time.format("%H:%M").to_string();
                            label { input type="radio" name="time" value=(time) required; (time) }
                        }
                    }
                    button type="submit" { (words.move_here()) }
                }
            }
        }
    }
}

/// The days on which bookings are taken.
async fn open_days(app: &App) -> Result<Vec<NaiveDate>> {
    // The shop's day may have begun before that of UTC, and never begins two days before it.
    let from = Utc::now().date_naive().checked_sub_days(Days::new(1)).unwrap_or(NaiveDate::MIN);
    let to = from.checked_add_days(Days::new(LOOKED_AT)).unwrap_or(NaiveDate::MAX);
    let facts = facts::load(&app.database().pool(), Question { from, to, ..Question::day(from) }).await?;
    let mut days: Vec<NaiveDate> = facts.days.into_keys().filter(|day| facts.window.holds_day(*day)).collect();
    days.sort_unstable();
    Ok(days)
}

/// The times of a day at which the booking could be.
async fn free_times(app: &App, booking: &Booking, date: NaiveDate) -> Result<Vec<NaiveTime>> {
    let visit = booking.visit();
    let question = Question { pool: Some(visit.location), ..Question::day(date) };
    let mut facts = facts::load(&app.database().pool(), question).await?;
    let Some(day) = facts.days.get(&date).copied().filter(|_| facts.window.holds_day(date)) else {
        return Ok(Vec::new());
    };
    if visit.date == date {
        // A move frees what the booking takes now.
        for quarter in visit.occupied.quarters() {
            facts.usage.entry((date, quarter)).and_modify(|used| *used -= 1);
        }
    }
    let capacity = facts.capacity(visit.location);
    let is_other = |time: &NaiveTime| (date, *time) != (visit.date, visit.time);
    let is_free = |time: &NaiveTime| available(&day, *time, visit.duration_minutes, capacity, &facts) > 0;
    Ok(day.slots().into_iter().filter(is_other).filter(is_free).collect())
}

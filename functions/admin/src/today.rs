//! The day as a board: slots down, places across, a job as tall as it is long; above it what needs attention.

mod board;
mod day;

use axum::{extract::State, response::Response};
use chrono::{Days, NaiveDate};
use maud::{Markup, html};
use shared::{
    Result,
    bookings::status::{BookingStatus, PaymentStatus, ServiceLocation},
    money::Money,
};

use crate::{
    App,
    bookings::{Step, next_step, status_tag},
    kit::{ask::Ask, cell::rupees, page::Page},
    messages::UNDELIVERED,
    session::Person,
    words::Words,
};
use board::{Board, Row};
use day::{Day, Job, WeekDay};

const PATH: &str = "/admin/";

pub(crate) async fn show(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let day = day::load(app.database(), ask.day("day")).await?;
    let jobs = day::jobs(app.database(), day.date).await?;
    let words = person.words;
    let here = ask.link(&[]);
    let is_by_status = ask.value("by") == Some("status");
    let title = if day.date == day.now.date() { words.today().to_owned() } else { words.day(day.date) };
    let content = html! {
        div.heading {
            h1 { (title) @if day.date == day.now.date() { " · " (words.day(day.date)) } }
            a.button href="/admin/bookings/new/" { (words.walk_in()) }
        }
        div #attention data-refresh { (attention(words, &day)) }
        (days(words, &ask, &day))
        nav.scopes aria-label=(words.status()) {
            a href=(ask.link(&[("by", "")])) aria-current=[(!is_by_status).then_some("true")] { (words.by_time()) }
            a href=(ask.link(&[("by", "status")])) aria-current=[is_by_status.then_some("true")] { (words.by_status()) }
        }
        div #day data-refresh data-board=(day.date) {
            @if let Some(name) = &day.holiday { p.note { (words.closed()) ": " (name) } }
            @if jobs.is_empty() {
                p.empty { (words.nothing_today()) " " a href=(format!("/admin/bookings/new/?when=later&appointment_date={}", day.date)) { (words.walk_in()) } }
            }
            @else if is_by_status { (by_status(words, &jobs, &here)) }
            @else { (by_time(words, &day, &jobs, &here)) }
        }
    };
    Ok(Page::new(&person, PATH, &title).show(&content))
}

/// Counts of what waits, each with a link to the bookings behind it.
fn attention(words: Words, day: &Day) -> Markup {
    let items = [
        (day.to_confirm, words.to_confirm_count(), "/admin/bookings/?scope=to_confirm"),
        (day.late, words.late_count(), "/admin/bookings/?scope=late"),
        (day.unpaid, words.unpaid_count(), "/admin/bookings/?status=completed&paid=no"),
        (day.failed_refunds, words.failed_refunds_count(), "/admin/payments/?scope=attention"),
        (day.mismatches, words.mismatches_count(), "/admin/payments/?scope=attention"),
        (day.undelivered, words.undelivered_count(), UNDELIVERED),
    ];
    html! {
        @if !day.has_hours {
            section.attention { h2 { (words.needs_attention()) } ul { li { a href="/admin/shop/hours/" { "The shop has no opening hours, so nothing can be booked." } } } }
        }
        @if items.iter().any(|(count, ..)| *count > 0) {
            ul.strip aria-label=(words.needs_attention()) {
                @for (count, what, path) in items.iter().filter(|(count, ..)| *count > 0) {
                    li { a href=(path) { strong { (count) } " " (what) } }
                }
            }
        } @else { p.hint { (words.all_well()) } }
    }
}

/// The days around, each with how full it is.
fn days(words: Words, ask: &Ask, day: &Day) -> Markup {
    let to = |date: Option<NaiveDate>| ask.link(&[("day", &date.unwrap_or(day.date).to_string())]);
    html! {
        nav.days aria-label=(words.date()) {
            a href=(to(day.date.checked_sub_days(Days::new(1)))) aria-label=(words.previous_day()) { "‹" }
            @for one in &day.week { (week_day(words, ask, day, one)) }
            a href=(to(day.date.checked_add_days(Days::new(1)))) aria-label=(words.next_day()) { "›" }
        }
    }
}

fn week_day(words: Words, ask: &Ask, day: &Day, one: &WeekDay) -> Markup {
    html! {
        a href=(ask.link(&[("day", &one.date.to_string())])) aria-current=[(one.date == day.date).then_some("date")] {
            (words.day(one.date)) " "
            @if one.is_open { small { (one.jobs) " · " (one.percent) " %" } meter min="0" max="100" value=(one.percent.min(100)) aria-hidden="true" {} }
            @else { small { (words.closed()) } }
        }
    }
}

fn by_status(words: Words, jobs: &[Job], here: &str) -> Markup {
    html! {
        div.columns {
            @for status in BookingStatus::ALL {
                @let of_status: Vec<&Job> = jobs.iter().filter(|job| job.status == status).collect();
                section aria-label=(words.status_of(status)) {
                    h2 { (words.status_of(status)) " " span.count { (of_status.len()) } }
                    @for job in of_status { (card(words, job, here)) }
                }
            }
        }
    }
}

fn by_time(words: Words, day: &Day, jobs: &[Job], here: &str) -> Markup {
    let board = Board::new(day, jobs.iter().filter(|job| job.status != BookingStatus::Cancelled));
    html! {
        div.board role="region" aria-label=(words.day(day.date)) tabindex="0" {
            table {
                thead {
                    tr {
                        th scope="col" { (words.time()) }
                        @for pool in &board.pools {
                            th scope="colgroup" colspan=(pool.lanes + 1) {
                                @match pool.location { ServiceLocation::Shop => (words.bays()), ServiceLocation::Home => (words.crews()) }
                            }
                        }
                    }
                }
                tbody { @for row in &board.rows { (quarter(words, row, here)) } }
            }
        }
    }
}

/// A quarter of an hour: its time and how full its slot is where a slot begins, and the jobs that begin in it.
fn quarter(words: Words, row: &Row<'_>, here: &str) -> Markup {
    html! {
        tr data-time=(row.time) class=[row.is_now.then_some("now")] {
            @if let Some(span) = row.slot_span { th scope="row" rowspan=(span) { time { (row.time) } } }
            @for pool in &row.pools {
                @if let Some(span) = row.slot_span {
                    td.full.over[pool.used > pool.capacity].all[pool.used == pool.capacity] rowspan=(span) {
                        (words.part_of(pool.used, pool.capacity))
                        @if pool.used > pool.capacity { span.visually-hidden { ", " (words.overbooked()) } }
                    }
                }
                @for job in &pool.jobs { td rowspan=(job.rows) { (card(words, job.job, here)) } }
                @for span in &pool.free { td.free colspan=(span) {} }
            }
        }
    }
}

/// A job: status, vehicle, customer, services, money, and the next step.
fn card(words: Words, job: &Job, here: &str) -> Markup {
    let name = format!("{}, {}", job.model, job.customer);
    let step = Step {
        id: job.id,
        version: job.version,
        status: job.status,
        payment_status: job.payment_status,
        payment_method: job.payment_method,
        total: Money::from_paise(job.total),
        name: &name,
        back: here,
    };
    let is_movable = job.status.is_up_to_customer();
    html! {
        article.job.late[job.is_late] draggable=[is_movable.then_some("true")] data-id=(job.id) data-version=(job.version) {
            p { (status_tag(words, job.status, job.is_no_show)) @if job.is_late { " " span.tag.bad { (words.late()) } } " " small { (job.time.format("%H:%M")) "–" (job.until()) } }
            p { a href=(format!("/admin/bookings/{}/", job.id)) { (job.model) } " · " (job.customer) }
            p.small { (job.services) }
            p.small {
                @match job.payment_status {
                    PaymentStatus::Pending if job.status == BookingStatus::Cancelled => {}
                    PaymentStatus::Pending => { (rupees(Money::from_paise(job.total))) " " (words.due()) }
                    status => { (words.payment(status)) }
                }
                @if job.location == ServiceLocation::Home { " · " (job.address) }
            }
            (next_step(words, &step))
        }
    }
}

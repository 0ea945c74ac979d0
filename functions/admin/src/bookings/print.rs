//! Papers of a booking: job card (A5), receipt (A4 and an 80 mm roll), tag (62 × 29 mm). The style sheet has their sizes.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Result,
    bookings::{
        Booking, booking,
        status::{PaymentStatus, ServiceLocation},
    },
    database::Database,
    http::{Id, page},
    ids::BookingId,
    money::Money,
};

use super::path;
use crate::{
    App,
    kit::{cell::rupees, page::document},
    session::Person,
    words::Words,
};

/// What papers say beside the booking.
struct Around {
    shop: String,
    shop_address: String,
    shop_phone: String,
    now: NaiveDateTime,
    paid_at: Option<NaiveDateTime>,
    taken: i64,
    refunded: i64,
}

pub(crate) async fn job_card(State(app): State<App>, person: Person, Id(id): Id<BookingId>) -> Result<Response> {
    paper(&app, &person, id, "paper job-card", card).await
}

pub(crate) async fn receipt(State(app): State<App>, person: Person, Id(id): Id<BookingId>) -> Result<Response> {
    paper(&app, &person, id, "paper receipt", bill).await
}

/// A receipt for a roll of paper.
pub(crate) async fn roll(State(app): State<App>, person: Person, Id(id): Id<BookingId>) -> Result<Response> {
    paper(&app, &person, id, "paper roll", bill).await
}

pub(crate) async fn tag(State(app): State<App>, person: Person, Id(id): Id<BookingId>) -> Result<Response> {
    paper(&app, &person, id, "paper bike-tag", label).await
}

async fn paper(
    app: &App,
    person: &Person,
    id: BookingId,
    class: &str,
    content: fn(Words, &Booking, &Around) -> Markup,
) -> Result<Response> {
    let booking = booking::find(&app.database().pool(), id).await?;
    let around = around(app.database(), id).await?;
    let words = person.words;
    let content = content(words, &booking, &around);
    let body = html! {
        nav.screen { a href=(path(id)) { "‹ " (booking.reference) } button type="button" data-print { (words.print()) } }
        main #main { (content) }
    };
    Ok(page(StatusCode::OK, document(words.0, &booking.reference, class, &body).into_string()))
}

fn vehicle(booking: &Booking) -> String {
    format!("{} {}", booking.vehicle_brand_name, booking.vehicle_model_name)
}

fn card(words: Words, booking: &Booking, around: &Around) -> Markup {
    html! {
        header { p.shop { (around.shop) } h1 { (words.job_card()) } p.ref { (booking.reference) } }
        p.big { (vehicle(booking)) }
        dl {
            dt { (words.customer()) } dd { (booking.customer.name) ", " (booking.customer.phone) }
            dt { (words.time()) } dd {
                (words.moment(booking.appointment_date.and_time(booking.appointment_time))) ", " (booking.duration_minutes) " " (words.minutes())
            }
            dt { (words.place()) } dd {
                (words.location(booking.service_location)) @if booking.service_location == ServiceLocation::Home { ": " (booking.address) }
            }
            @if !booking.notes.is_empty() { dt { (words.customer_notes()) } dd { (booking.notes) } }
            @if !booking.internal_notes.is_empty() { dt { (words.notes()) } dd { (booking.internal_notes) } }
        }
        table {
            thead { tr { th scope="col" { (words.work_done()) } th.num scope="col" { (words.price()) } th scope="col" { "✓" } } }
            tbody { @for line in booking.booking_services.iter() { tr { td { (line.service_name) } td.num { (rupees(line.price)) } td.box { "☐" } } } }
            tfoot { tr { th scope="row" { (words.total()) } td.num { (rupees(booking.total_amount)) } td {} } }
        }
        p.lines { (words.mechanic()) ": ____________________" }
        p.lines { (words.signature()) ": ____________________" }
        (footer(words, around))
    }
}

fn bill(words: Words, booking: &Booking, around: &Around) -> Markup {
    let kept = around.taken - around.refunded;
    html! {
        header {
            p.shop { (around.shop) }
            p { (around.shop_address) }
            p { (around.shop_phone) }
            h1 { (words.receipt()) }
            p.ref { (booking.reference) }
        }
        dl {
            dt { (words.customer()) } dd { (booking.customer.name) }
            dt { (words.vehicle()) } dd { (vehicle(booking)) }
            dt { (words.date()) } dd { (words.day(booking.appointment_date)) }
        }
        table {
            tbody { @for line in booking.booking_services.iter() { tr { td { (line.service_name) } td.num { (rupees(line.price)) } } } }
            tfoot {
                tr { th scope="row" { (words.total()) } td.num { strong { (rupees(booking.total_amount)) } } }
                @if around.taken > 0 {
                    tr {
                        th scope="row" { (words.paid()) ", " (words.method(booking.payment_method)) @if let Some(at) = around.paid_at { ", " (words.moment(at)) } }
                        td.num { (rupees(Money::from_paise(around.taken))) }
                    }
                }
                @if around.refunded > 0 {
                    tr { th scope="row" { (words.given_back()) } td.num { (rupees(Money::from_paise(-around.refunded))) } }
                    tr { th scope="row" { (words.kept()) } td.num { (rupees(Money::from_paise(kept))) } }
                }
                @if booking.payment_status == PaymentStatus::Pending {
                    tr { th scope="row" { (words.unpaid()) } td.num { strong { (rupees(booking.total_amount)) } } }
                }
            }
        }
        p { (words.thanks()) "." }
        p.small { (words.no_tax_invoice()) }
        (footer(words, around))
    }
}

fn label(words: Words, booking: &Booking, _: &Around) -> Markup {
    html! {
        h1.ref { (booking.reference.trim_start_matches("RMB-")) }
        p.big { (vehicle(booking)) }
        p { (booking.customer.name) " · " (words.day(booking.appointment_date)) }
    }
}

fn footer(words: Words, around: &Around) -> Markup {
    html! { footer.small { (words.printed()) " " (words.moment(around.now)) } }
}

async fn around(database: &Database, id: BookingId) -> Result<Around> {
    Ok(sqlx::query_as!(
        Around,
        r#"
        select shop.name as shop, shop.address as shop_address, shop.phone as shop_phone, shop_clock(now()) as "now!",
            (select max(shop_clock(captured_at)) from captures
                where booking_id = $1 and state = 'captured' and currency = 'INR') as paid_at,
            (
                select coalesce(sum(amount_paise), 0)::bigint from captures
                where booking_id = $1 and state = 'captured' and currency = 'INR'
            ) as "taken!",
            (
                select coalesce(sum(refunded_paise), 0)::bigint from captures
                where booking_id = $1 and state = 'captured' and currency = 'INR'
            ) as "refunded!"
        from shops shop where shop.id = shop_id()
        "#,
        id.0
    )
    .fetch_one(&database.pool())
    .await?)
}

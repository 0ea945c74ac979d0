//! The page of a booking: everything about it, and only what may be done to it now.

use super::{
    PLACE,
    around::{Around, around},
    links,
    look::{Step, next_step, status_tag},
    messages, moving, path,
    timeline::timeline,
};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::rupees,
        form::{Form, Input, problem},
        page::Page,
    },
    session::Person,
    words::Words,
};
use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Result,
    bookings::{
        Booking, LONGEST_REASON, booking,
        notes::LONGEST,
        status::{BookingStatus, PaymentStatus, ServiceLocation},
    },
    http::Id,
    ids::BookingId,
    money::Money,
};

/// How a page is shown after a form that was not done.
#[derive(Default)]
pub(super) struct View {
    pub(super) form: Form,
    /// What was just done.
    pub(super) notice: Option<&'static str>,
    pub(super) is_stale: bool,
    /// The address of a link that was just made.
    pub(super) link: Option<String>,
    /// Set if the time is full: those that are free.
    pub(super) free: Option<Vec<NaiveDateTime>>,
    pub(super) status: StatusCode,
}

pub(crate) async fn show(State(app): State<App>, person: Person, Id(id): Id<BookingId>, ask: Ask) -> Result<Response> {
    let notice = match ask.value("done") {
        None => None,
        Some("refunded") => Some(person.words.refund_requested()),
        Some(_) => Some(person.words.done()),
    };
    page(&app, &person, id, &View { notice, ..View::default() }).await
}

pub(super) async fn page(app: &App, person: &Person, id: BookingId, view: &View) -> Result<Response> {
    let booking = booking::find(&app.database().pool(), id).await?;
    let around = around(app.database(), id).await?;
    let words = person.words;
    let is_open = !matches!(booking.booking_status, BookingStatus::Completed | BookingStatus::Cancelled);
    let is_movable = booking.booking_status.is_up_to_customer();
    let vehicle = format!("{} {}", booking.vehicle_brand_name, booking.vehicle_model_name);
    let name = format!("{vehicle}, {}", booking.customer.name);
    let step = Step {
        id,
        version: booking.version,
        status: booking.booking_status,
        payment_status: booking.payment_status,
        payment_method: booking.payment_method,
        total: booking.total_amount,
        name: &name,
        back: "",
    };
    let content = html! {
        div.heading {
            h1 { (vehicle) " · " (booking.customer.name) }
            (status_tag(words, booking.booking_status, booking.is_no_show))
            (next_step(words, &step))
        }
        p.facts {
            strong { (booking.reference) } " · "
            (words.moment(booking.appointment_date.and_time(booking.appointment_time))) "–" (booking.visit().occupied.until()) " · "
            (words.location(booking.service_location)) " · " (words.made_by(booking.source)) " · "
            @if booking.payment_status == PaymentStatus::Pending && booking.booking_status != BookingStatus::Cancelled {
                strong { (rupees(booking.total_amount)) " " (words.due()) }
            } @else if booking.payment_status != PaymentStatus::Pending { (words.payment(booking.payment_status)) " " (rupees(booking.total_amount)) }
        }
        (problem(view.is_stale.then_some(words.changed_meanwhile())))
        (problem(view.form.fault("form")))
        (problem(view.form.fault("status")))
        p.links {
            @for (paper, text) in [("job-card", words.job_card()), ("receipt", words.receipt()), ("roll", "80 mm"), ("tag", words.tag())] {
                a href=(format!("{}print/{paper}/", path(id))) { (words.print()) ": " (text) }
            }
        }
        div.two {
            div {
                (lines(words, &booking, &around, view))
                (money(words, person, &booking, &around, view))
                (notes(words, &booking, view))
            }
            div {
                (customer(words, &booking, &around))
                @if is_movable {
                    details {
                        summary { (words.move_booking()) }
                        (moving::form(words, id, &moving::values(words, &booking), None))
                    }
                }
                @if is_open { (ending(words, &booking, &around)) }
                (messages::section(words, id, &around.messages, &around.channels, view.form.fault("message").or_else(|| view.form.fault("act"))))
                (links::section(words, id, &around.links, view.link.as_deref()))
                (timeline(words, &around.story))
            }
        }
    };
    let above = [(PLACE.path.to_owned(), words.bookings().to_owned())];
    Ok(Page::new(person, PLACE.path, &format!("{} {vehicle}", booking.reference))
        .below(&above)
        .notice(view.notice)
        .status(view.status)
        .show(&content))
}

fn version(booking: &Booking) -> Markup {
    html! { input type="hidden" name="version" value=(booking.version); }
}

fn lines(words: Words, booking: &Booking, around: &Around, view: &View) -> Markup {
    let can_change = booking.has_open_lines();
    let action = format!("{}services/", path(booking.id));
    html! {
        section aria-labelledby="lines" {
            h2 #lines { (words.services()) }
            @if let Some(fault) = view.form.fault("service_ids").or_else(|| view.form.fault("add")) { p.fault { (fault) } }
            table.lines {
                tbody {
                    @for line in booking.booking_services.iter() {
                        tr {
                            th scope="row" { (line.service_name) }
                            td.num { (rupees(line.price)) }
                            td {
                                @if can_change && booking.booking_services.len() > 1 {
                                    form method="post" action=(action) {
                                        (version(booking))
                                        button.plain type="submit" name="remove" value=(line.service) aria-label=(format!("{} {}", words.remove(), line.service_name)) { (words.remove()) }
                                    }
                                }
                            }
                        }
                    }
                }
                tfoot { tr { th scope="row" { (words.total()) ", " (booking.duration_minutes) " " (words.minutes()) } td.num { strong { (rupees(booking.total_amount)) } } td {} } }
            }
            @if can_change && !around.offered.is_empty() {
                form.row method="post" action=(action) {
                    (version(booking))
                    div.field {
                        label for="add" { (words.add_service()) }
                        select #add name="add" {
                            @for service in &around.offered {
                                option value=(service.id) selected[view.form.value("add") == service.id.to_string()] {
                                    (service.name) " · " (rupees(Money::from_paise(service.price))) " · " (service.minutes) " " (words.minutes())
                                }
                            }
                        }
                    }
                    button.plain type="submit" { (words.add_service()) }
                    @if view.free.is_some() {
                        p.fault { (words.time_is_full()) }
                        label.tick { input type="checkbox" name="anyway" value="yes"; " " (words.book_anyway()) }
                    }
                }
            }
        }
    }
}

fn money(words: Words, person: &Person, booking: &Booking, around: &Around, view: &View) -> Markup {
    let taken: i64 = around.taken.iter().map(|taken| taken.amount).sum();
    let refunded: i64 = around.taken.iter().map(|taken| taken.refunded).sum();
    let is_due = booking.payment_status == PaymentStatus::Pending && booking.booking_status != BookingStatus::Cancelled;
    html! {
        section aria-labelledby="money" {
            h2 #money { (words.money()) }
            @if let Some(fault) = view.form.fault("amount") { p.fault { (fault) } }
            table.lines {
                tbody {
                    tr { th scope="row" { (words.total()) } td.num { (rupees(booking.total_amount)) } }
                    @for taken in &around.taken {
                        tr {
                            th scope="row" {
                                a href=(format!("/admin/payments/{}/", taken.payment)) {
                                    (words.taken()) " · " @if taken.is_cash { (words.by_cash()) } @else { (words.by_razorpay()) @if let Some(means) = &taken.means { " " (means) } }
                                } " · " (words.moment(taken.at))
                            }
                            td.num { (rupees(Money::from_paise(taken.amount))) }
                        }
                    }
                    @if refunded > 0 { tr { th scope="row" { (words.given_back()) } td.num { (rupees(Money::from_paise(-refunded))) } } }
                    @if taken > 0 { tr { th scope="row" { (words.kept()) } td.num { strong { (rupees(Money::from_paise(taken - refunded))) } } } }
                }
            }
            div.actions {
                @if is_due {
                    form method="post" action=(format!("{}cash/", path(booking.id))) {
                        (version(booking))
                        input type="hidden" name="amount" value=(booking.total_amount);
                        button type="submit" { (words.record()) " " (rupees(booking.total_amount)) " " (words.in_cash()) }
                    }
                }
                @if person.is_admin && taken > refunded { a.button.plain href=(format!("{}refund/", path(booking.id))) { (words.refund()) "…" } }
            }
        }
    }
}

fn notes(words: Words, booking: &Booking, view: &View) -> Markup {
    let was_sent = view.form.pairs().iter().any(|(name, _)| name == "internal_notes");
    let stored = [("notes", booking.notes.clone()), ("internal_notes", booking.internal_notes.clone())];
    let mut form = if was_sent { view.form.clone() } else { Form::of(stored.clone()).said_in(words) };
    if was_sent && view.is_stale {
        form.compare(stored);
    }
    html! {
        section aria-labelledby="notes" {
            h2 #notes { (words.notes()) }
            form.stack method="post" action=(format!("{}notes/", path(booking.id))) {
                (version(booking))
                (Input::new("notes", words.customer_notes()).kind("textarea").max(LONGEST).in_form(&form))
                (Input::new("internal_notes", words.internal_notes()).kind("textarea").max(LONGEST).in_form(&form))
                div.actions { button.plain type="submit" { (words.save_notes()) } }
            }
        }
    }
}

fn customer(words: Words, booking: &Booking, around: &Around) -> Markup {
    let digits = booking.customer.phone.trim_start_matches('+');
    html! {
        section aria-labelledby="customer" {
            h2 #customer { (words.customer()) }
            p { a href=(format!("/admin/customers/{}/", booking.customer.id)) { (booking.customer.name) } }
            @if !around.is_erased {
                p.links {
                    a href=(format!("tel:{}", booking.customer.phone)) { (words.call()) " " (booking.customer.phone) }
                    a href=(format!("https://wa.me/{digits}")) rel="noreferrer" { "WhatsApp" }
                    @if let Some(email) = &booking.customer.email { a href=(format!("mailto:{email}")) { (email) } }
                }
            }
            @if booking.service_location == ServiceLocation::Home { p { (words.address()) ": " (booking.address) } }
            @if !around.customer_notes.is_empty() { p.note { strong { (words.notes_about_customer()) ": " } (around.customer_notes) } }
            @if !around.visits.is_empty() {
                h3 { (words.other_visits()) }
                ul.results {
                    @for visit in &around.visits {
                        li { a href=(path(visit.id)) {
                            (words.moment(visit.date.and_time(visit.time))) " · " (visit.model) " "
                            (status_tag(words, visit.status, visit.is_no_show)) span.visually-hidden { (visit.reference) }
                        } }
                    }
                }
            }
        }
    }
}

/// Cancelling, and saying that the customer did not come.
fn ending(words: Words, booking: &Booking, around: &Around) -> Markup {
    html! {
        details {
            summary { (words.cancel()) }
            form.stack method="post" action=(format!("{}status/", path(booking.id))) {
                (version(booking))
                (Input::new("reason", words.reason()).max(LONGEST_REASON).in_form(&Form::default().said_in(words)))
                div.actions { button.danger type="submit" name="to" value="cancelled" { (words.cancel()) } }
            }
            @if around.has_begun && booking.booking_status.is_up_to_customer() {
                form method="post" action=(format!("{}no-show/", path(booking.id))) {
                    (version(booking))
                    button.plain type="submit" { (words.say_no_show()) }
                }
            }
        }
    }
}

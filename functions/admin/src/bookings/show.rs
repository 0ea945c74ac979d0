//! The page of a booking: everything about it, and only what may be done to it now.

use axum::{extract::State, response::Response};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use shared::{
    Result,
    bookings::{
        Booking, booking,
        notes::LONGEST,
        status::{BookingStatus, PaymentStatus, ServiceLocation},
        timeline::Event,
    },
    database::Database,
    http::Id,
    ids::BookingId,
    money::Money,
};
use sqlx::types::Json;

use super::{
    PLACE,
    look::{Step, next_step, status_tag},
    moving, path,
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

/// How a page is shown after a form that was not done.
#[derive(Default)]
pub(super) struct View {
    pub(super) form: Form,
    pub(super) is_stale: bool,
    /// Set if the time is full: those that are free.
    pub(super) free: Option<Vec<NaiveDateTime>>,
    pub(super) status: StatusCode,
}

/// Another booking of the customer.
#[derive(Debug, Deserialize)]
struct Visit {
    id: BookingId,
    reference: String,
    date: NaiveDate,
    time: NaiveTime,
    model: String,
    status: BookingStatus,
    is_no_show: bool,
}

/// Money that came for the booking.
#[derive(Debug, Deserialize)]
struct Taken {
    payment: i64,
    is_cash: bool,
    /// As Razorpay tells it, such as `upi`.
    means: Option<String>,
    at: NaiveDateTime,
    amount: i64,
    refunded: i64,
}

/// A service that could be added.
#[derive(Debug, Deserialize)]
struct Offered {
    id: i64,
    name: String,
    price: i64,
    minutes: i32,
}

/// An entry of the timeline.
#[derive(Debug, Deserialize)]
struct Told {
    at: NaiveDateTime,
    event: Event,
    actor: String,
    actor_name: Option<String>,
    reason: String,
    changes: Value,
}

/// What stands around a booking.
struct Around {
    customer_notes: String,
    is_erased: bool,
    has_begun: bool,
    visits: Vec<Visit>,
    taken: Vec<Taken>,
    offered: Vec<Offered>,
    story: Vec<Told>,
}

pub(crate) async fn show(State(app): State<App>, person: Person, Id(id): Id<BookingId>, ask: Ask) -> Result<Response> {
    let _ = ask;
    page(&app, &person, id, &View { status: StatusCode::OK, ..View::default() }).await
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
                        (moving::form(words, id, &moving::values(&booking), None))
                    }
                }
                @if is_open { (ending(words, &booking, &around)) }
                (timeline(words, &around.story))
            }
        }
    };
    let above = [(PLACE.path.to_owned(), words.bookings().to_owned())];
    Ok(Page::new(person, PLACE.path, &format!("{} {vehicle}", booking.reference))
        .below(&above)
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
                    @if refunded > 0 { tr { th scope="row" { (words.given_back()) } td.num { "−" (rupees(Money::from_paise(refunded))) } } }
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
    let mut form = if was_sent { view.form.clone() } else { Form::of(stored.clone()) };
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
                (Input::new("reason", words.reason()).max(500).in_form(&Form::default()))
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

fn timeline(words: Words, story: &[Told]) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 #history { (words.history()) }
            ol.timeline {
                @for told in story {
                    li {
                        strong { (event(words, told.event)) } " · " time { (words.moment(told.at)) } " · " (actor(words, told))
                        @if !told.reason.is_empty() { br; (told.reason) }
                        (changes(words, &told.changes))
                    }
                }
            }
        }
    }
}

fn event(words: Words, event: Event) -> &'static str {
    match event {
        Event::Created => words.was_created(),
        Event::Confirmed => words.confirmed(),
        Event::InProgress => words.in_progress(),
        Event::Completed => words.completed(),
        Event::Cancelled => words.cancelled(),
        Event::Rescheduled => words.was_moved(),
        Event::Overbooked => words.was_overbooked(),
        Event::NotesChanged => words.notes_changed(),
        Event::InternalNotesChanged => words.internal_notes_changed(),
        Event::ServicesChanged => words.services_changed(),
        Event::Paid => words.paid(),
        Event::RefundRequested => words.refund_requested(),
        Event::Refunded => words.refunded(),
        Event::RefundFailed => words.refund_failed(),
    }
}

fn actor(words: Words, told: &Told) -> String {
    if let Some(name) = &told.actor_name {
        return name.clone();
    }
    match told.actor.as_str() {
        "customer" => words.customer().to_owned(),
        "razorpay" => words.by_razorpay().to_owned(),
        "system" => words.by_system().to_owned(),
        staff => staff.trim_start_matches("staff:").to_owned(),
    }
}

/// The old and the new value of each thing that changed.
fn changes(words: Words, changes: &Value) -> Markup {
    let Some(changes) = changes.as_object().filter(|changes| !changes.is_empty()) else { return html! {} };
    html! {
        dl.changes {
            @for (name, pair) in changes {
                dt { (label(words, name)) }
                dd {
                    @let [old, new] = [0, 1].map(|end| pair.get(end).and_then(Value::as_str).unwrap_or_default());
                    @if !old.is_empty() { del { (value(words, name, old)) } " " }
                    @if !new.is_empty() { ins { (value(words, name, new)) } }
                }
            }
        }
    }
}

fn label(words: Words, name: &str) -> &'static str {
    match name {
        "appointment" => words.time(),
        "service_location" => words.place(),
        "address" => words.address(),
        "service" => words.service(),
        "total_amount" => words.total(),
        "internal_notes" => words.internal_notes(),
        _ => words.notes(),
    }
}

fn value(words: Words, name: &str, value: &str) -> String {
    match (name, value) {
        ("appointment", text) => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
            .map_or_else(|_| text.to_owned(), |moment| words.moment(moment)),
        ("service_location", "home") => words.at_home().to_owned(),
        ("service_location", _) => words.at_the_shop().to_owned(),
        ("total_amount", text) => format!("₹{text}"),
        (_, text) => text.to_owned(),
    }
}

async fn around(database: &Database, id: BookingId) -> Result<Around> {
    let found = sqlx::query!(
        r#"
        select customer.notes, customer.erased_at is not null as "is_erased!",
            booking.appointment_date + booking.appointment_time <= shop_clock(now()) as "has_begun!",
            (
                select coalesce(json_agg(visit order by visit.date desc, visit.time desc), '[]')
                from (
                    select other.id, other.reference, other.appointment_date as date, other.appointment_time as time,
                        brand.name || ' ' || model.name as model, other.booking_status as status, other.is_no_show
                    from bookings other
                    join vehicle_models model on model.id = other.vehicle_model_id
                    join vehicle_brands brand on brand.id = model.vehicle_brand_id
                    where other.customer_id = booking.customer_id and other.id <> booking.id
                    order by other.appointment_date desc, other.appointment_time desc
                    limit 10
                ) as visit
            ) as "visits!: Json<Vec<Visit>>",
            (
                select coalesce(json_agg(json_build_object(
                    'payment', payment_id, 'is_cash', gateway_payment_id is null, 'means', means,
                    'at', shop_clock(captured_at), 'amount', amount_paise, 'refunded', refunded_paise
                ) order by captured_at, id), '[]')
                from captures where captures.booking_id = booking.id and state = 'captured'
            ) as "taken!: Json<Vec<Taken>>",
            (
                select coalesce(json_agg(json_build_object(
                    'id', service.id, 'name', service.name, 'price', price.price_paise, 'minutes', service.duration_minutes
                ) order by lower(service.name)), '[]')
                from service_prices price
                join services service on service.id = price.service_id and service.archived_at is null
                join service_categories category
                    on category.id = service.service_category_id and category.archived_at is null
                where price.vehicle_model_id = booking.vehicle_model_id and not exists (
                    select from booking_services line where line.booking_id = booking.id and line.service_id = service.id
                )
            ) as "offered!: Json<Vec<Offered>>",
            (
                select coalesce(json_agg(json_build_object(
                    'at', shop_clock(event.created_at), 'event', event.event, 'actor', event.actor,
                    'actor_name', name_of_actor(event.actor), 'reason', event.reason, 'changes', event.changes
                ) order by event.id desc), '[]')
                from (
                    select * from booking_events where booking_id = booking.id order by id desc limit 500
                ) as event
            ) as "story!: Json<Vec<Told>>"
        from bookings booking join customers customer on customer.id = booking.customer_id
        where booking.id = $1
        "#,
        id.0
    )
    .fetch_one(&database.pool())
    .await?;
    Ok(Around {
        customer_notes: found.notes,
        is_erased: found.is_erased,
        has_begun: found.has_begun,
        visits: found.visits.0,
        taken: found.taken.0,
        offered: found.offered.0,
        story: found.story.0,
    })
}

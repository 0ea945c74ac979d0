//! Moving a booking to another time or place: a form on a page of its own, which dragging a card sends too.

use axum::{extract::State, response::Response};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Result,
    bookings::{
        Booking,
        appointment::Rules,
        booking,
        plan::LONGEST_ADDRESS,
        reschedule::{self, Appointment},
        status::ServiceLocation,
        unproved::Limits,
    },
    http::{Fields, Id, Read},
    ids::BookingId,
};
use sqlx::PgConnection;

use super::{
    PLACE, path,
    unless_changed::{Changed, back, change},
};
use crate::{
    App,
    kit::{
        form::{Form, Input, problem},
        page::{Page, redirect},
    },
    session::Person,
    words::Words,
};

/// What a form or a dragged card asks for. A place that is left out stays.
struct Move {
    date: NaiveDate,
    time: NaiveTime,
    location: Option<ServiceLocation>,
    address: Option<String>,
    is_forced: bool,
}

impl Read for Move {
    fn read(fields: &mut Fields) -> Option<Self> {
        // A free time is one button with both.
        let free: Option<NaiveDateTime> = fields
            .text_or_empty("free", 20)
            .and_then(|text| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M").ok());
        let (date, time) = match free {
            Some(free) => (Some(free.date()), Some(free.time())),
            None => (fields.value("date"), fields.value("time")),
        };
        let location = fields.value_if_any("location");
        let address = fields.has("address").then(|| fields.lines_or_empty("address", LONGEST_ADDRESS)).flatten();
        Some(Self { date: date?, time: time?, location, address, is_forced: fields.has("anyway") })
    }
}

impl Move {
    fn of(&self, booking: &Booking) -> Appointment {
        let location = self.location.unwrap_or(booking.service_location);
        let address = match location {
            ServiceLocation::Shop => String::new(),
            ServiceLocation::Home => self.address.clone().unwrap_or_else(|| booking.address.clone()),
        };
        Appointment { date: self.date, time: self.time, location, address }
    }
}

pub(crate) async fn move_page(State(app): State<App>, person: Person, Id(id): Id<BookingId>) -> Result<Response> {
    let booking = booking::find(&app.database().pool(), id).await?;
    let form = values(person.words, &booking);
    Ok(show(&person, &booking, &form, None, false, StatusCode::OK))
}

pub(crate) async fn move_to(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let mut refused = (None, false, StatusCode::BAD_REQUEST);
    if let Some(wanted) = form.read::<Move>() {
        let rules = if wanted.is_forced { Rules::Overbook } else { Rules::Counter };
        let work = async |connection: &mut PgConnection, booking: Booking| {
            let appointment = wanted.of(&booking);
            reschedule::move_to(connection, booking, appointment, &person.actor(), rules, Limits::OFF).await
        };
        let is_done = |booking: &Booking| booking.appointment() == wanted.of(booking);
        match change(&app, id, &form, is_done, work).await? {
            Changed::Done => return Ok(redirect(&back(&form, id))),
            Changed::Stale => refused = (None, true, StatusCode::CONFLICT),
            Changed::Full(free) => refused = (Some(free), false, StatusCode::CONFLICT),
            Changed::Faulty(faults) => {
                for (own, theirs) in [("date", "appointment_date"), ("time", "appointment_time")] {
                    for sentence in faults.of(theirs) {
                        form.blame((own, sentence.as_str()).into());
                    }
                }
                form.blame(faults);
            }
        }
    }
    let booking = booking::find(&app.database().pool(), id).await?;
    // A dragged card says only the time.
    for (name, value) in pairs(&booking) {
        if form.value(name).is_empty() {
            form.set(name, value);
        }
    }
    let (free, is_stale, status) = refused;
    if is_stale {
        form.compare(pairs(&booking));
        form.set("version", booking.version.to_string());
    }
    Ok(show(&person, &booking, &form, free.as_deref(), is_stale, status))
}

fn pairs(booking: &Booking) -> Vec<(&'static str, String)> {
    let location = match booking.service_location {
        ServiceLocation::Shop => "shop",
        ServiceLocation::Home => "home",
    };
    vec![
        ("date", booking.appointment_date.to_string()),
        ("time", booking.appointment_time.format("%H:%M").to_string()),
        ("location", location.to_owned()),
        ("address", booking.address.clone()),
    ]
}

/// A form that begins with the booking's present time and place.
pub(super) fn values(words: Words, booking: &Booking) -> Form {
    let version = [("version", booking.version.to_string())];
    Form::of(pairs(booking).into_iter().chain(version)).said_in(words)
}

fn show(
    person: &Person,
    booking: &Booking,
    form: &Form,
    free: Option<&[NaiveDateTime]>,
    is_stale: bool,
    status: StatusCode,
) -> Response {
    let words = person.words;
    let title = format!("{}: {}", words.move_booking(), booking.reference);
    let content = html! {
        h1 { (title) }
        p {
            (booking.customer.name) " · " (booking.vehicle_brand_name) " " (booking.vehicle_model_name) " · "
            (words.moment(booking.appointment_date.and_time(booking.appointment_time))) " · " (booking.duration_minutes) " " (words.minutes())
        }
        (problem(form.fault("form")))
        (problem(is_stale.then_some(words.changed_meanwhile())))
        (self::form(words, booking.id, form, free))
    };
    let above = [(PLACE.path.to_owned(), words.bookings().to_owned()), (path(booking.id), booking.reference.clone())];
    Page::new(person, PLACE.path, &title).below(&above).status(status).show(&content)
}

/// The form, and if the wanted time is full those that are free.
pub(super) fn form(words: Words, id: BookingId, form: &Form, free: Option<&[NaiveDateTime]>) -> Markup {
    let places = [("shop", words.at_the_shop()), ("home", words.at_home())]
        .map(|(value, text)| (value.to_owned(), text.to_owned()));
    html! {
        form.stack method="post" action=(format!("{}move/", path(id))) {
            input type="hidden" name="version" value=(form.value("version"));
            @if !form.value("back").is_empty() { input type="hidden" name="back" value=(form.value("back")); }
            @if let Some(free) = free { (free_times(words, free)) }
            div.row {
                (Input::new("date", words.date()).kind("date").required().in_form(form))
                (Input::new("time", words.time()).kind("time").required().in_form(form))
            }
            (Input::new("location", words.place()).required().select_in(form, &places))
            (Input::new("address", words.address()).max(LONGEST_ADDRESS).in_form(form))
            label.tick { input type="checkbox" name="anyway" value="yes"; " " (words.book_anyway()) }
            div.actions { button type="submit" { (words.move_booking()) } }
        }
    }
}

/// Free times as buttons of the form around them.
pub(super) fn free_times(words: Words, free: &[NaiveDateTime]) -> Markup {
    html! {
        div.problem role="alert" {
            p { strong { (words.time_is_full()) } @if !free.is_empty() { " " (words.free_times()) ":" } }
            div.actions {
                @for time in free {
                    button.plain type="submit" name="free" value=(time.format("%Y-%m-%dT%H:%M")) { (words.moment(*time)) }
                }
            }
        }
    }
}

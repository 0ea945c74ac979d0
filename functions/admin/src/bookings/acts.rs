//! What is done to a booking on its page: status, services, notes, cash. Each form carries the version that it was opened with.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use shared::{
    Faults, Result,
    bookings::{
        Booking, LONGEST_REASON,
        appointment::Rules,
        lines::{self, Change},
        notes,
        status::{BookingStatus, PaymentMethod, PaymentStatus},
        transition,
    },
    http::{Fields, Id, Read},
    ids::BookingId,
    money::Money,
    payments,
    written::Written,
};
use sqlx::PgConnection;

use super::{
    show::{self, View},
    unless_changed::{Changed, back, change},
};
use crate::{
    App,
    kit::{form::Form, page::redirect},
    session::Person,
};

/// Leads on, or shows the booking with the reason why nothing was changed and what was entered.
async fn conclude(app: &App, person: &Person, id: BookingId, mut form: Form, changed: Changed) -> Result<Response> {
    let view = match changed {
        Changed::Done => return Ok(redirect(&back(&form, id))),
        Changed::Stale => View { is_stale: true, status: StatusCode::CONFLICT, ..View::default() },
        Changed::Full(free) => View { free: Some(free), status: StatusCode::CONFLICT, ..View::default() },
        Changed::Faulty(faults) => {
            form.blame(faults);
            View { status: StatusCode::BAD_REQUEST, ..View::default() }
        }
    };
    show::page(app, person, id, &View { form, ..view }).await
}

struct NewStatus {
    to: BookingStatus,
    reason: String,
}

impl Read for NewStatus {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (to, reason) = (fields.value("to"), fields.text_or_empty("reason", LONGEST_REASON));
        Some(Self { to: to?, reason: reason? })
    }
}

pub(crate) async fn set_status(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let Some(NewStatus { to, reason }) = form.read() else {
        return conclude(&app, &person, id, form, Changed::Faulty(Faults::default())).await;
    };
    let work = async |connection: &mut PgConnection, booking| {
        transition::set_status(connection, booking, to, &person.actor(), &reason).await
    };
    let changed = change(&app, id, &form, |booking| booking.booking_status == to, work).await?;
    conclude(&app, &person, id, form, changed).await
}

pub(crate) async fn say_no_show(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    form: Form,
) -> Result<Response> {
    let work = async |connection: &mut PgConnection, booking| {
        transition::set_no_show(connection, booking, &person.actor()).await
    };
    let changed = change(&app, id, &form, |booking| booking.is_no_show, work).await?;
    conclude(&app, &person, id, form, changed).await
}

struct Services {
    change: Change,
    is_forced: bool,
}

impl Read for Services {
    fn read(fields: &mut Fields) -> Option<Self> {
        let change =
            if fields.has("add") { Change::Add(fields.id("add")?) } else { Change::Remove(fields.id("remove")?) };
        Some(Self { change, is_forced: fields.has("anyway") })
    }
}

pub(crate) async fn change_services(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let Some(Services { change: wanted, is_forced }) = form.read() else {
        return conclude(&app, &person, id, form, Changed::Faulty(Faults::default())).await;
    };
    let is_done = |booking: &Booking| {
        let (Change::Add(service) | Change::Remove(service)) = wanted;
        let has = booking.booking_services.iter().any(|line| line.service == service);
        has == matches!(wanted, Change::Add(_))
    };
    let rules = if is_forced { Rules::Overbook } else { Rules::Counter };
    let work = async |connection: &mut PgConnection, booking| {
        lines::change(connection, booking, wanted, &person.actor(), rules).await
    };
    let changed = change(&app, id, &form, is_done, work).await?;
    conclude(&app, &person, id, form, changed).await
}

struct Notes {
    notes: String,
    internal_notes: String,
}

impl Read for Notes {
    fn read(fields: &mut Fields) -> Option<Self> {
        let notes = fields.lines_or_empty("notes", notes::LONGEST);
        let internal_notes = fields.lines_or_empty("internal_notes", notes::LONGEST);
        Some(Self { notes: notes?, internal_notes: internal_notes? })
    }
}

pub(crate) async fn save_notes(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let Some(Notes { notes, internal_notes }) = form.read() else {
        return conclude(&app, &person, id, form, Changed::Faulty(Faults::default())).await;
    };
    let is_done = |booking: &Booking| booking.notes == notes && booking.internal_notes == internal_notes;
    let work = async |connection: &mut PgConnection, booking| {
        let booking = notes::rewrite(connection, booking, notes.clone(), &person.actor()).await?;
        Ok(notes::rewrite_internal(connection, booking, internal_notes.clone(), &person.actor()).await?)
    };
    let changed = change(&app, id, &form, is_done, work).await?;
    conclude(&app, &person, id, form, changed).await
}

struct Cash(Money);

impl Read for Cash {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.value("amount").map(Self)
    }
}

/// Records the whole total as paid in cash. The form carries the amount that was shown, so that another one is not taken.
pub(crate) async fn record_cash(
    State(app): State<App>,
    person: Person,
    Id(id): Id<BookingId>,
    mut form: Form,
) -> Result<Response> {
    let Some(Cash(amount)) = form.read() else {
        return conclude(&app, &person, id, form, Changed::Faulty(Faults::default())).await;
    };
    // Money that came online meanwhile is another payment: the person with the cash must hear of it.
    let is_done = |booking: &Booking| {
        booking.payment_status == PaymentStatus::Completed && booking.payment_method == PaymentMethod::Cash
    };
    let work = async |connection: &mut PgConnection, mut booking: Booking| {
        payments::cash::record(connection, &mut booking, amount, &person.actor()).await?;
        Ok(booking)
    };
    let changed = change(&app, id, &form, is_done, work).await?;
    conclude(&app, &person, id, form, changed).await
}

/// A status by its name in the API.
pub(super) fn status(text: &str) -> Option<BookingStatus> {
    BookingStatus::parse(text).ok()
}

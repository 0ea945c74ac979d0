//! Changes a booking: moves it, even into a full slot, and rewrites its notes.

use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};
use shared::{
    Result,
    bookings::{
        self, Actor, Booking,
        appointment::Rules,
        booking::{self, Detail},
        notes,
        reschedule::{Appointment, move_to},
        slot_usage::Refused,
        unproved::Limits,
    },
    database::Database,
    http::{Envelope, ErrorBody, Fields, Id, Json, Read, Routes, routes},
    ids::BookingId,
    staff::Staff,
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(change)
}

/// What is to be different; what is left out stays.
#[derive(Debug, ToSchema)]
#[schema(example = json!({
    "appointment_date": "2026-12-02", "appointment_time": "16:00", "notes": "Called back", "force": true
}))]
struct BookingChanges {
    /// A day on the shop's calendar.
    appointment_date: Option<NaiveDate>,
    /// On the shop's clock.
    appointment_time: Option<NaiveTime>,
    notes: Option<String>,
    /// For the shop's people.
    internal_notes: Option<String>,
    /// Whether a full slot is taken as well.
    force: bool,
}

impl Read for BookingChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let appointment_date = fields.value_if_sent("appointment_date");
        let appointment_time = fields.value_if_sent("appointment_time");
        let notes = fields.lines_if_sent("notes", notes::LONGEST);
        let internal_notes = fields.lines_if_sent("internal_notes", notes::LONGEST);
        let force = fields.flag("force")?;
        let changes = Self { appointment_date, appointment_time, notes, internal_notes, force };
        if changes.is_empty() && fields.faults.is_empty() {
            let known = "appointment_date, appointment_time, notes, internal_notes";
            fields.faults.add("non_field_errors", format!("Send what is to be changed: {known}."));
        }
        Some(changes)
    }
}

impl BookingChanges {
    fn is_empty(&self) -> bool {
        self.appointment_date.is_none()
            && self.appointment_time.is_none()
            && self.notes.is_none()
            && self.internal_notes.is_none()
    }
}

/// Moves a booking, and rewrites its notes.
///
/// Only a `pending` or `confirmed` booking moves, to any minute of the opening hours, however near or far; notes can be
/// rewritten at any time. `force` takes a full slot, and the timeline says by whom.
#[utoipa::path(
    patch, path = "/staff/bookings/{id}", operation_id = "change_booking", tag = "Staff", request_body = Json<BookingChanges>,
    params(("id" = i64, Path)),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`SLOT_FULL` with free slots, unless `force` is set, or `ILLEGAL_TRANSITION`.", body = ErrorBody),
    )
)]
async fn change(
    staff: Staff,
    State(database): State<Database>,
    Id(id): Id<BookingId>,
    Json(changes): Json<BookingChanges>,
) -> Result<Envelope<Detail>> {
    let change = async |connection: &mut PgConnection| apply(connection, id, changes, &staff.actor()).await;
    let booking = bookings::transaction(&database, change).await?;
    Ok(Envelope::new("Booking updated successfully", Detail::for_staff(booking)))
}

async fn apply(
    connection: &mut PgConnection,
    id: BookingId,
    changes: BookingChanges,
    actor: &Actor,
) -> Result<Booking, Refused> {
    let mut booking = booking::lock(&mut *connection, id).await?;
    let present = booking.appointment();
    let wanted = Appointment {
        date: changes.appointment_date.unwrap_or(present.date),
        time: changes.appointment_time.unwrap_or(present.time),
        ..present.clone()
    };
    // Skipped if the time is unchanged: a form that sends all fields may rewrite the notes of a booking that cannot
    // move.
    if wanted != present {
        let rules = if changes.force { Rules::Overbook } else { Rules::Counter };
        booking = move_to(&mut *connection, booking, wanted, actor, rules, Limits::OFF).await?;
    }
    if let Some(notes) = changes.notes {
        booking = notes::rewrite(&mut *connection, booking, notes, actor).await?;
    }
    if let Some(notes) = changes.internal_notes {
        booking = notes::rewrite_internal(connection, booking, notes, actor).await?;
    }
    Ok(booking)
}

//! Changes a booking: moves it, even into a full slot, and rewrites its notes.

use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};
use shared::{
    Result,
    bookings::{
        self, Actor, Booking,
        appointment::Rules,
        booking, notes,
        reschedule::{Appointment, move_to},
        slot_usage::Refused,
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
    /// Whether a full slot is taken as well.
    force: bool,
}

impl Read for BookingChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let appointment_date = fields.value_if_sent("appointment_date");
        let appointment_time = fields.value_if_sent("appointment_time");
        let notes = fields.lines_if_sent("notes", notes::LONGEST);
        let force = fields.flag("force")?;
        Some(Self { appointment_date, appointment_time, notes, force })
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
        (status = 200, body = Envelope<Booking>),
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
) -> Result<Envelope<Booking>> {
    let change = async |connection: &mut PgConnection| apply(connection, id, changes, &staff.actor()).await;
    let booking = bookings::transaction(&database, change).await?;
    Ok(Envelope::new("Booking updated successfully", booking))
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
        booking = move_to(&mut *connection, booking, wanted, actor, rules).await?;
    }
    match changes.notes {
        Some(notes) => Ok(notes::rewrite(connection, booking, notes, actor).await?),
        None => Ok(booking),
    }
}

//! A customer moves a booking: takes the new slot and frees the old one in one step.

use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};
use shared::{
    Result,
    bookings::{
        appointment::{parse_date, parse_time},
        change::{self, Actor, Rules},
        detail::Detail,
        slot_usage::Refused,
    },
    database::Database,
    error::ErrorBody,
    http::{Envelope, Fields, Id, Json, Read, Routes, routes},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    App,
    caller::{Caller, Claimant},
};

pub(crate) fn routes() -> Routes<App> {
    routes!(reschedule)
}

/// The new appointment.
#[derive(Debug, ToSchema)]
struct Reschedule {
    /// A day on the shop's calendar.
    appointment_date: NaiveDate,
    /// The start of a slot on the shop's clock.
    #[schema(example = "10:00:00")]
    appointment_time: NaiveTime,
}

impl Read for Reschedule {
    fn read(fields: &mut Fields) -> Option<Self> {
        let appointment_date = fields.parsed("appointment_date", parse_date);
        let appointment_time = fields.parsed("appointment_time", parse_time);
        Some(Self { appointment_date: appointment_date?, appointment_time: appointment_time? })
    }
}

/// Moves a booking that is pending or confirmed to another time.
#[utoipa::path(
    patch, path = "/bookings/{id}", operation_id = "reschedule_booking", tag = "Bookings", request_body = Reschedule,
    params(
        ("id" = i64, Path),
        ("token" = Option<String>, Query, description = "The booking's access token."),
        ("X-Booking-Token" = Option<String>, Header, description = "The same."),
    ),
    security((), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "The booking is not the caller's: a token that is wrong or has expired, another user's session.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`SLOT_FULL` with free slots, or `ILLEGAL_TRANSITION`.", body = ErrorBody),
    )
)]
async fn reschedule(
    State(database): State<Database>,
    Claimant(caller): Claimant,
    Id(id): Id,
    Json(wanted): Json<Reschedule>,
) -> Result<Envelope<Detail>> {
    let mut transaction = database.begin().await?;
    let outcome = move_booking(&mut transaction, id, &caller, &wanted).await;
    let booking = change::end(transaction, &database, outcome).await?;
    Ok(Envelope::new("Booking rescheduled successfully", booking))
}

async fn move_booking(
    connection: &mut PgConnection,
    id: i64,
    caller: &Caller,
    wanted: &Reschedule,
) -> Result<Detail, Refused> {
    let booking = caller.lock_own(connection, id).await?;
    let appointment = (wanted.appointment_date, wanted.appointment_time);
    change::move_to(connection, booking, appointment, &Actor::Customer, Rules::All).await
}

//! Rescheduling by the customer, which takes the new slots and frees the old ones in one step.

use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};
use shared::{
    Result,
    bookings::{self, Booking, own, reschedule::Appointment, unproved},
    http::{ClientAddress, Envelope, ErrorBody, Fields, Id, Json, Read, Routes, routes},
    ids::BookingId,
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{App, caller::Claimant};

pub(crate) fn routes() -> Routes<App> {
    routes!(reschedule)
}

/// The new appointment.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "appointment_date": "2026-12-02", "appointment_time": "15:00" }))]
struct Reschedule {
    /// A day on the shop's calendar.
    appointment_date: NaiveDate,
    /// The start of a slot on the shop's clock.
    appointment_time: NaiveTime,
}

impl Read for Reschedule {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (appointment_date, appointment_time) = (fields.value("appointment_date"), fields.value("appointment_time"));
        Some(Self { appointment_date: appointment_date?, appointment_time: appointment_time? })
    }
}

/// Moves a booking to another time.
///
/// It must be `pending` or `confirmed`, and its time not have come; a customer moves it five times at most. The new slots are taken and the old ones freed in one step.
#[utoipa::path(
    patch, path = "/bookings/{id}", operation_id = "reschedule_booking", tag = "Bookings", request_body = Json<Reschedule>,
    params(
        ("id" = i64, Path),
        ("token" = Option<String>, Query, description = "The booking's access token, for clients that cannot set `X-Booking-Token`."),
    ),
    security(("booking_token" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Booking>),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "The booking is not the caller's: a token that is wrong or has expired, another user's session.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 429, description = "Too many tokens that open nothing, or changes of this booking.", body = ErrorBody),
        (status = 409, description = "`SLOT_FULL` with free slots, `PROOF_NEEDED`, `ILLEGAL_TRANSITION` or `TOO_LATE`.", body = ErrorBody),
    )
)]
async fn reschedule(
    State(app): State<App>,
    Claimant(caller): Claimant,
    address: ClientAddress,
    Id(id): Id<BookingId>,
    Json(wanted): Json<Reschedule>,
) -> Result<Envelope<Booking>> {
    caller.admit_to_change(&app, &address, id).await?;
    let reschedule = async |connection: &mut PgConnection| {
        let mut booking = caller.lock_own(connection, id).await?;
        if caller.has_number(&booking.customer.phone) {
            unproved::prove(&mut *connection, &mut booking).await?;
        }
        let appointment =
            Appointment { date: wanted.appointment_date, time: wanted.appointment_time, ..booking.appointment() };
        own::move_to(connection, booking, appointment, app.cutoff, app.unproved).await
    };
    let booking = bookings::transaction(&app.database, reschedule).await?;
    Ok(Envelope::new("Booking rescheduled successfully", booking))
}

//! A customer moves a booking: takes the new slot and frees the old one in one step.

use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};
use shared::{
    Error, Result,
    database::Database,
    error::ErrorBody,
    http::{Envelope, Fields, Id, Json, Read},
};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    appointment::{self, parse_date, parse_time},
    caller::{Caller, Claimant},
    detail::Detail,
    facts::{self, Question},
    slot_usage::{self, Job, Refused},
    status::BookingStatus,
    transaction,
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(reschedule))
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
    let booking = transaction::end(transaction, &database, outcome).await?;
    Ok(Envelope::new("Booking rescheduled successfully", booking))
}

async fn move_booking(
    connection: &mut PgConnection,
    id: i64,
    caller: &Caller,
    wanted: &Reschedule,
) -> Result<Detail, Refused> {
    let booking = transaction::lock_own(connection, id, caller).await?;
    if !booking.booking_status.is_up_to_customer() {
        let successors = booking.booking_status.successors();
        return Err(Error::IllegalTransition(successors.iter().map(|status| status.as_str()).collect()).into());
    }
    let (date, time) = (wanted.appointment_date, wanted.appointment_time);
    let old = booking.job();
    if (old.date, old.time) == (date, time) {
        return Ok(booking.into());
    }
    let facts = facts::load(&mut *connection, Question::day(date)).await?;
    let day = facts.days.get(&date);
    let slots =
        appointment::check((date, time), old.duration_minutes, day, &facts.window).map_err(Error::Validation)?;
    let new = Job { date, time, slots, ..old.clone() };
    let updated_at = write(connection, id, booking.booking_status, &new).await?;
    slot_usage::swap(connection, facts.capacity(new.location), &old, &new).await?;
    Ok(Detail { appointment_date: date, appointment_time: time, updated_at, ..booking.into() })
}

async fn write(
    connection: &mut PgConnection,
    id: i64,
    status: BookingStatus,
    new: &Job,
) -> sqlx::Result<chrono::DateTime<chrono::Utc>> {
    sqlx::query_scalar!(
        "
        with event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor)
            values ($1, 'rescheduled', $2, $2, 'customer')
        ), message as (
            insert into outbox (kind, payload) values ('booking_rescheduled', jsonb_build_object('booking_id', $1::bigint))
        )
        update bookings set
            appointment_date = $3, appointment_time = $4, slot_times = $5, version = version + 1, updated_at = now(),
            access_token_expires_at = (($3::date + $4::time) at time zone shop.time_zone) + interval '30 days'
        from (select time_zone from shops order by id limit 1) as shop
        where bookings.id = $1
        returning bookings.updated_at
        ",
        id,
        status as BookingStatus,
        new.date,
        new.time,
        &new.slots
    )
    .fetch_one(connection)
    .await
}

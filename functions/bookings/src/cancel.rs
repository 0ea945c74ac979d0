//! A customer cancels: the slot is free again.

use axum::extract::State;
use chrono::{DateTime, Utc};
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
    caller::{Caller, Claimant},
    detail::Detail,
    slot_usage::{self, Refused},
    status::BookingStatus,
    transaction,
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(cancel))
}

/// Why, if the customer says so.
#[derive(Debug, ToSchema)]
struct Cancellation {
    /// Up to 500 characters.
    #[schema(required = false)]
    reason: String,
}

impl Read for Cancellation {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { reason: fields.text_or_empty("reason", 500)? })
    }
}

/// Cancels a booking that is pending or confirmed. One that is cancelled already stays so.
#[utoipa::path(
    post, path = "/bookings/{id}/cancel", operation_id = "cancel_booking", tag = "Bookings",
    request_body = Cancellation,
    params(
        ("id" = i64, Path),
        ("token" = Option<String>, Query, description = "The booking's access token."),
        ("X-Booking-Token" = Option<String>, Header, description = "The same."),
    ),
    security((), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "The booking is not the caller's: a token that is wrong or has expired, another user's session.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`ILLEGAL_TRANSITION`.", body = ErrorBody),
    )
)]
async fn cancel(
    State(database): State<Database>,
    Claimant(caller): Claimant,
    Id(id): Id,
    Json(cancellation): Json<Cancellation>,
) -> Result<Envelope<Detail>> {
    let mut transaction = database.begin().await?;
    let outcome = cancel_booking(&mut transaction, id, &caller, &cancellation.reason).await;
    let booking = transaction::end(transaction, &database, outcome).await?;
    Ok(Envelope::new("Booking cancelled successfully", booking))
}

async fn cancel_booking(
    connection: &mut PgConnection,
    id: i64,
    caller: &Caller,
    reason: &str,
) -> Result<Detail, Refused> {
    let booking = transaction::lock_own(connection, id, caller).await?;
    let status = booking.booking_status;
    if status == BookingStatus::Cancelled {
        return Ok(booking.into());
    }
    if !status.is_up_to_customer() {
        // What work in progress may become is for the shop to say.
        return Err(Error::IllegalTransition(Vec::new()).into());
    }
    let updated_at = write(connection, id, status, reason).await?;
    slot_usage::free(connection, &booking.job()).await?;
    Ok(Detail { booking_status: BookingStatus::Cancelled, updated_at, ..booking.into() })
}

async fn write(
    connection: &mut PgConnection,
    id: i64,
    status: BookingStatus,
    reason: &str,
) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        "
        with event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor, reason)
            values ($1, 'cancelled', $2, 'cancelled', 'customer', $3)
        ), message as (
            insert into outbox (kind, payload) values ('booking_cancelled', jsonb_build_object('booking_id', $1::bigint))
        )
        update bookings set booking_status = 'cancelled', version = version + 1, updated_at = now()
        where id = $1
        returning updated_at
        ",
        id,
        status as BookingStatus,
        reason
    )
    .fetch_one(connection)
    .await
}

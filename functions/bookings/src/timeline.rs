//! The timeline of a booking: what happened to it, and who did it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Error, Result,
    bookings::status::BookingStatus,
    database::Database,
    http::{Envelope, ErrorBody, Id, Routes, routes},
    select_bookings,
};
use utoipa::ToSchema;

use crate::{App, caller::Claimant};

pub(crate) fn routes() -> Routes<App> {
    routes!(list)
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingEvent)]
struct Event {
    #[serde(with = "shared::http::time")]
    at: DateTime<Utc>,
    #[schema(example = "rescheduled")]
    event: String,
    /// Null for `created`; equal to `to_status` where the status stays.
    #[schema(required)]
    from_status: Option<BookingStatus>,
    to_status: BookingStatus,
    /// `customer`, `staff:<label>`, `razorpay` or `system`.
    #[schema(example = "customer")]
    actor: String,
}

/// Lists what happened to a booking, oldest first.
///
/// At most the newest 500 events, for the owner and for staff.
#[utoipa::path(
    get, path = "/bookings/{id}/timeline", operation_id = "list_booking_events", tag = "Bookings",
    params(
        ("id" = i64, Path),
        ("token" = Option<String>, Query, description = "The booking's access token, for clients that cannot set `X-Booking-Token`."),
    ),
    security(("booking_token" = []), ("session" = []), ("staff_key" = [])),
    responses(
        (status = 200, body = Envelope<Vec<Event>>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "The booking is not the caller's, who does not work in the shop either; or a staff key was sent that is not valid.", body = ErrorBody),
        (status = 404, body = ErrorBody),
    )
)]
async fn list(
    State(database): State<Database>,
    Claimant(caller): Claimant,
    Id(id): Id,
) -> Result<Envelope<Vec<Event>>> {
    let pool = database.pool();
    let booking = select_bookings!("booking.id = $1", id).fetch_optional(&pool).await?;
    let booking = booking.ok_or(Error::NotFound("Booking"))?;
    if !caller.may_see(&booking) {
        return Err(Error::PermissionDenied);
    }
    let events = sqlx::query_as!(
        Event,
        r#"
        select created_at as at, event, from_status as "from_status: BookingStatus",
            to_status as "to_status: BookingStatus", actor
        from (
            select * from booking_events where booking_id = $1 order by id desc limit 500
        ) as newest
        order by id
        "#,
        id
    )
    .fetch_all(&pool)
    .await?;
    Ok(Envelope::new("Booking timeline retrieved successfully", events))
}

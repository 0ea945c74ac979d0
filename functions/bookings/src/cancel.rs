//! Cancellation by the customer, which frees the slots.

use axum::extract::State;
use shared::{
    Result,
    bookings::{self, Booking, LONGEST_REASON, own},
    http::{ClientAddress, Envelope, ErrorBody, Fields, Id, Json, Read, Routes, routes},
    ids::BookingId,
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{App, caller::Claimant};

pub(crate) fn routes() -> Routes<App> {
    routes!(cancel)
}

/// Why, if the customer says so.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "reason": "The scooter was sold" }))]
struct Cancellation {
    /// For the timeline.
    reason: String,
}

impl Read for Cancellation {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { reason: fields.text_or_empty("reason", LONGEST_REASON)? })
    }
}

/// Cancels a booking.
///
/// It must be `pending` or `confirmed`, and its time not have come. Its slots are free again, and what was paid online is queued for refund. Cancelling
/// it again changes nothing.
#[utoipa::path(
    post, path = "/bookings/{id}/cancel", operation_id = "cancel_booking", tag = "Bookings",
    request_body = Json<Cancellation>,
    params(
        ("id" = i64, Path),
        ("token" = Option<String>, Query, description = "The booking's access token, for clients that cannot set `X-Booking-Token`."),
    ),
    security(("booking_token" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Booking>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "The booking is not the caller's: a token that is wrong or has expired, another user's session.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 429, description = "Too many tokens that open nothing, or changes of this booking.", body = ErrorBody),
        (status = 409, description = "`ILLEGAL_TRANSITION` or `TOO_LATE`.", body = ErrorBody),
    )
)]
async fn cancel(
    State(app): State<App>,
    Claimant(caller): Claimant,
    address: ClientAddress,
    Id(id): Id<BookingId>,
    Json(cancellation): Json<Cancellation>,
) -> Result<Envelope<Booking>> {
    caller.admit_to_change(&app, &address, id).await?;
    let cancel = async |connection: &mut PgConnection| {
        let booking = caller.lock_own(connection, id).await?;
        own::cancel(connection, booking, &cancellation.reason, app.cutoff).await
    };
    let booking = bookings::transaction(&app.database, cancel).await?;
    Ok(Envelope::new("Booking cancelled successfully", booking))
}

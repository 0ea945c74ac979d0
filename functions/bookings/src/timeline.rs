//! The timeline of a booking.

use axum::extract::State;
use shared::{
    Result,
    bookings::timeline,
    http::{ClientAddress, Envelope, ErrorBody, Id, Routes, routes},
    ids::BookingId,
};

use crate::{
    App,
    caller::{Caller, Claimant},
};

pub(crate) fn routes() -> Routes<App> {
    routes!(list)
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
        (status = 200, body = Envelope<Vec<timeline::Entry>>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "The booking is not the caller's, who does not work in the shop either; or a staff key was sent that is not valid.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 429, description = "Too many tokens that open nothing.", body = ErrorBody),
    )
)]
async fn list(
    State(app): State<App>,
    Claimant(caller): Claimant,
    address: ClientAddress,
    Id(id): Id<BookingId>,
) -> Result<Envelope<Vec<timeline::Entry>>> {
    caller.admit(&app, &address, id, Caller::may_see).await?;
    Ok(Envelope::new("Booking timeline retrieved successfully", timeline::list(&app.database.pool(), id).await?))
}

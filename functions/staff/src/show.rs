//! Shows a whole booking to staff.

use axum::extract::State;
use shared::{
    Result,
    bookings::{Booking, booking},
    database::Database,
    http::{Envelope, ErrorBody, Id, Routes, routes},
    ids::BookingId,
    staff::Staff,
};

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(show)
}

/// Shows a booking to staff.
///
/// Always whole.
#[utoipa::path(
    get, path = "/staff/bookings/{id}", operation_id = "show_booking_to_staff", tag = "Staff",
    params(("id" = i64, Path)),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Booking>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
        (status = 404, body = ErrorBody),
    )
)]
async fn show(_: Staff, State(database): State<Database>, Id(id): Id<BookingId>) -> Result<Envelope<Booking>> {
    Ok(Envelope::new("Booking details retrieved successfully", booking::find(&database.pool(), id).await?))
}

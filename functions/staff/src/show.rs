//! Shows a whole booking to staff.

use axum::extract::State;
use shared::{
    Result,
    bookings::booking::{self, Detail},
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
/// It is shown whole, with the personal data of the customer.
#[utoipa::path(
    get, path = "/staff/bookings/{id}", operation_id = "show_booking_to_staff", tag = "Staff",
    params(("id" = i64, Path)),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
        (status = 404, body = ErrorBody),
    )
)]
async fn show(_: Staff, State(database): State<Database>, Id(id): Id<BookingId>) -> Result<Envelope<Detail>> {
    let booking = booking::find(&database.pool(), id).await?;
    Ok(Envelope::new("Booking details retrieved successfully", Detail::for_staff(booking)))
}

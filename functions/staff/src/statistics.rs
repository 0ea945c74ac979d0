//! Statistics of bookings and money, for the staff's start page.

use axum::extract::State;
use shared::{
    Result,
    bookings::statistics::{self, Statistics},
    database::Database,
    http::{Envelope, ErrorBody, Routes, routes},
    staff::Staff,
};

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(show)
}

/// Counts bookings and money.
///
/// Days and months are the shop's.
#[utoipa::path(
    get, path = "/staff/bookings/stats", operation_id = "show_booking_statistics", tag = "Staff",
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Statistics>),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
    )
)]
async fn show(_: Staff, State(database): State<Database>) -> Result<Envelope<Statistics>> {
    Ok(Envelope::new("Statistics retrieved successfully", statistics::count(&database).await?))
}

//! Cancels all bookings that a filter finds.

use axum::extract::State;
use chrono::NaiveDate;
use serde::Serialize;
use shared::{
    Result,
    bookings::{
        bulk::{Cancellation, Cancelled},
        status::{BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
    },
    database::Database,
    http::{Envelope, ErrorBody, Fields, Json, Read, Routes, routes},
    staff::Staff,
};
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(cancel)
}

/// The filters of the list, and how many bookings it found. Describes a [`Cancellation`].
#[derive(ToSchema)]
#[schema(as = BulkCancellation, example = json!({ "status": "pending", "date": "2026-12-02", "count": 12, "reason": "Invented" }))]
#[expect(dead_code, reason = "describes the body")]
struct Body {
    #[schema(inline)]
    status: Option<BookingStatus>,
    /// The day of the appointment.
    date: Option<NaiveDate>,
    /// The first of several days.
    date_from: Option<NaiveDate>,
    /// The last of several days.
    date_to: Option<NaiveDate>,
    /// As in the list.
    search: Option<String>,
    #[schema(inline)]
    payment_status: Option<PaymentStatus>,
    #[schema(inline)]
    payment_method: Option<PaymentMethod>,
    #[schema(inline)]
    service_location: Option<ServiceLocation>,
    /// The order in which they are cancelled, as in the list.
    ordering: Option<String>,
    /// Has no effect.
    limit: Option<i64>,
    /// How many match, at most 200.
    count: i64,
    /// For the timelines.
    reason: String,
}

impl Read for Body {
    fn read(fields: &mut Fields) -> Option<Self> {
        let _ = Cancellation::read(fields);
        None
    }
}

/// What became of each booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkCancellationResult)]
struct Results {
    results: Vec<Cancelled>,
}

/// Cancels all bookings that match.
///
/// Takes the filters of the list. `count` must be how many match, at most 200. Each booking is cancelled by itself; the answer
/// says what became of it.
#[utoipa::path(
    post, path = "/staff/bookings/cancel", operation_id = "cancel_bookings", tag = "Staff", request_body = Json<Body>,
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Results>),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
        (status = 409, description = "`CONFLICT`: another number of bookings matches now; nothing was changed.", body = ErrorBody),
    )
)]
async fn cancel(
    staff: Staff,
    State(database): State<Database>,
    Json(cancellation): Json<Cancellation>,
) -> Result<Envelope<Results>> {
    let results = cancellation.run(&database, &staff.actor()).await?;
    Ok(Envelope::new("Bookings cancelled", Results { results }))
}

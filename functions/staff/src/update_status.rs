//! Changes the status of a booking.

use axum::extract::State;
use shared::{
    Error, Result,
    bookings::{
        self,
        booking::{self, Detail},
        status::BookingStatus,
        transition,
    },
    database::Database,
    http::{Envelope, ErrorBody, Fields, Id, Json, Read, Routes, routes},
    ids::BookingId,
    staff::Staff,
    written::Written,
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(update)
}

/// The next status.
#[derive(Debug, ToSchema)]
#[schema(as = StatusChange, example = json!({ "status": "confirmed", "notes": "Called back" }))]
struct NewStatus {
    #[schema(value_type = BookingStatus)]
    status: String,
    /// For the timeline.
    notes: String,
}

impl Read for NewStatus {
    fn read(fields: &mut Fields) -> Option<Self> {
        let status = fields.unparsed::<BookingStatus>("status");
        let notes = fields.text_or_empty("notes", 500);
        Some(Self { status: status?, notes: notes? })
    }
}

impl NewStatus {
    /// The error sentences are those of the former service, which clients know.
    fn parse(&self) -> Result<BookingStatus> {
        if self.status.is_empty() {
            return Err(Error::faulty_field("status", "status field is required"));
        }
        BookingStatus::parse(&self.status).map_err(|_| {
            let options = BookingStatus::ALL.map(BookingStatus::as_str).join(", ");
            Error::faulty_field("status", &format!("Invalid status. Valid options: {options}"))
        })
    }
}

/// Gives a booking another status.
///
/// `pending` may become `confirmed`, `confirmed` `in_progress`, `in_progress` `completed`, and each of these `cancelled`. The
/// same status again changes nothing. The timeline keeps `notes`. A cash booking that becomes `completed` counts as paid.
#[utoipa::path(
    patch, path = "/staff/bookings/{id}/update-status", operation_id = "update_booking_status", tag = "Staff",
    request_body = Json<NewStatus>, params(("id" = i64, Path)),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`ILLEGAL_TRANSITION`, with what is allowed.", body = ErrorBody),
    )
)]
async fn update(
    staff: Staff,
    State(database): State<Database>,
    Id(id): Id<BookingId>,
    Json(new): Json<NewStatus>,
) -> Result<Envelope<Detail>> {
    let status = new.parse()?;
    let update = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, id).await?;
        transition::set_status(connection, booking, status, &staff.actor(), &new.notes).await
    };
    let booking = bookings::transaction(&database, update).await?;
    Ok(Envelope::new(format!("Booking status updated to {}", status.as_str()), Detail::for_staff(booking)))
}

//! Takes cash at the counter.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use shared::{
    Error, Result,
    bookings::{
        change::{self, Actor},
        detail::Detail,
        slot_usage::Refused,
        status::{BookingStatus, PaymentStatus},
    },
    database::Database,
    http::{Envelope, ErrorBody, Fields, Id, Json, Read, Routes, routes},
    idempotency::{self, Key, MaybeKey},
    money::Money,
    payments,
    staff::Staff,
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(record)
}

/// What was paid at the counter.
#[derive(Debug, ToSchema)]
#[schema(as = CashPayment, example = json!({ "amount": "630.00" }))]
struct Cash {
    /// Rupees: the booking's total, neither less nor more.
    #[schema(value_type = String)]
    amount: Money,
    #[schema(ignore)]
    sha256: [u8; 32],
}

impl Read for Cash {
    fn read(fields: &mut Fields) -> Option<Self> {
        let sha256 = fields.sha256();
        Some(Self { amount: fields.value("amount")?, sha256 })
    }
}

/// Records that a booking was paid in cash.
///
/// The whole total, once. A retry with the same `Idempotency-Key` and body gets the first answer again.
#[utoipa::path(
    post, path = "/staff/bookings/{id}/record-cash", operation_id = "record_cash", tag = "Staff", request_body = Json<Cash>,
    params(
        ("id" = i64, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters; makes a retry safe."),
    ),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Detail>),
        (status = 400, description = "`amount` is not the total.", body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`ALREADY_PAID`, `BOOKING_CANCELLED` or `IDEMPOTENCY_IN_PROGRESS`.", body = ErrorBody),
        (status = 422, description = "The key was used with another body.", body = ErrorBody),
    )
)]
async fn record(
    staff: Staff,
    State(database): State<Database>,
    Id(id): Id,
    MaybeKey(key): MaybeKey,
    Json(cash): Json<Cash>,
) -> Result<Response> {
    let mut transaction = database.begin().await?;
    let outcome = take(&mut transaction, id, &cash, key.as_ref(), &staff.actor()).await;
    change::end(transaction, &database, outcome.map_err(Refused::from)).await
}

async fn take(
    connection: &mut PgConnection,
    id: i64,
    cash: &Cash,
    key: Option<&Key>,
    actor: &Actor,
) -> Result<Response> {
    let scope = format!("POST /api/staff/bookings/{id}/record-cash/");
    if let Some(answer) = idempotency::replay(connection, &scope, key, &cash.sha256).await? {
        return Ok(answer);
    }
    let mut booking = change::lock(connection, id).await?;
    if booking.payment_status != PaymentStatus::Pending {
        return Err(Error::AlreadyPaid);
    }
    if booking.booking_status == BookingStatus::Cancelled {
        return Err(Error::BookingCancelled);
    }
    if cash.amount != booking.total_amount {
        return Err(Error::field("amount", &format!("Take the whole total, {}.", booking.total_amount)));
    }
    payments::take_cash(connection, &mut booking, actor).await?;
    let paid: Detail = change::lock(connection, id).await?.into();
    let body = Envelope::new("Cash payment recorded successfully", paid);
    idempotency::answer(connection, &scope, key, StatusCode::OK, &body).await
}

//! Records cash payments at the counter.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use shared::{
    Result,
    bookings::{
        Actor,
        booking::{self, Detail},
    },
    database::Database,
    http::{Envelope, ErrorBody, Fields, Id, Json, Read, Routes, Whole, routes},
    idempotency::{self, Key, MaybeKey},
    ids::BookingId,
    money::Money,
    payments,
    staff::Staff,
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(record).merge(routes!(collect))
}

/// What was paid at the counter.
#[derive(Debug, ToSchema)]
#[schema(as = CashPayment, example = json!({ "amount": "630.00" }))]
struct Cash {
    /// Rupees: the booking's total, neither less nor more.
    #[schema(value_type = String)]
    amount: Money,
    /// As the header `Idempotency-Key`, which wins over it.
    #[schema(value_type = Option<String>)]
    idempotency_key: Option<Key>,
    #[schema(ignore)]
    whole: Whole,
}

impl Read for Cash {
    fn read(fields: &mut Fields) -> Option<Self> {
        let whole = fields.whole();
        let idempotency_key = Key::in_body(fields);
        Some(Self { amount: fields.value("amount")?, idempotency_key, whole })
    }
}

/// Records that a booking was paid in cash.
///
/// The whole total, once. A retry with the same `Idempotency-Key` and body gets the first answer again.
#[utoipa::path(
    post, path = "/staff/bookings/{id}/record-cash", operation_id = "record_cash", tag = "Staff", request_body = Json<Cash>,
    params(
        ("id" = i64, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe."),
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
    Id(id): Id<BookingId>,
    MaybeKey(key): MaybeKey,
    Json(cash): Json<Cash>,
) -> Result<Response> {
    take_once(&database, &staff, id, key, cash).await
}

/// The same, as the staff app sends it.
#[derive(Debug, ToSchema)]
#[schema(as = CollectedPayment, example = json!({ "booking_id": 1, "amount": "630.00" }))]
struct Collected {
    #[schema(value_type = i64)]
    booking_id: BookingId,
    /// Rupees: the booking's total, neither less nor more.
    #[schema(value_type = String)]
    amount: Money,
    /// As the header `Idempotency-Key`, which wins over it.
    #[schema(value_type = Option<String>)]
    idempotency_key: Option<Key>,
    #[schema(ignore)]
    whole: Whole,
}

impl Read for Collected {
    fn read(fields: &mut Fields) -> Option<Self> {
        let whole = fields.whole();
        let idempotency_key = Key::in_body(fields);
        let (booking_id, amount) = (fields.id("booking_id"), fields.value("amount"));
        Some(Self { booking_id: booking_id?, amount: amount?, idempotency_key, whole })
    }
}

/// Records that a booking was paid in cash, as `record-cash` does.
#[utoipa::path(
    post, path = "/staff/payments/collect", operation_id = "collect_payment", tag = "Staff", request_body = Json<Collected>,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
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
async fn collect(
    staff: Staff,
    State(database): State<Database>,
    MaybeKey(key): MaybeKey,
    Json(collected): Json<Collected>,
) -> Result<Response> {
    let Collected { booking_id, amount, idempotency_key, whole } = collected;
    take_once(&database, &staff, booking_id, key, Cash { amount, idempotency_key, whole }).await
}

/// Takes the cash, once per key; a key of the header wins over that of the body.
async fn take_once(
    database: &Database,
    staff: &Staff,
    id: BookingId,
    key: Option<Key>,
    cash: Cash,
) -> Result<Response> {
    let key = key.or(cash.idempotency_key).map(|key| key.of(&staff.label));
    let take = async |connection: &mut PgConnection| {
        take(connection, id, (cash.amount, &cash.whole), key.as_ref(), &staff.actor()).await
    };
    database.transaction(take).await
}

async fn take(
    connection: &mut PgConnection,
    id: BookingId,
    (amount, whole): (Money, &Whole),
    key: Option<&Key>,
    actor: &Actor,
) -> Result<Response> {
    let scope = format!("POST /api/staff/bookings/{id}/record-cash/");
    if let Some(answer) = idempotency::replay(connection, &scope, key, whole).await? {
        return Ok(answer);
    }
    let mut booking = booking::lock(connection, id).await?;
    payments::cash::record(connection, &mut booking, amount, actor).await?;
    let body = Envelope::new("Cash payment recorded successfully", Detail::for_staff(booking));
    idempotency::answer(connection, &scope, key, StatusCode::OK, &body).await
}

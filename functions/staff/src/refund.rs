//! Gives money back: all of it or a part.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Error, Result,
    bookings::{
        change::{self, Actor},
        detail::Detail,
        slot_usage::Refused,
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

/// Razorpay gives nothing smaller back.
const LEAST_ONLINE_PAISE: i64 = 100;

pub(crate) fn routes() -> Routes<App> {
    routes!(refund)
}

/// What is to go back, and why.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "amount": "100.00", "reason": "Had to wait" }))]
struct RefundRequest {
    /// Rupees; all that is left if it is missing.
    #[schema(value_type = String)]
    amount: Option<Money>,
    /// For the timeline.
    reason: String,
    #[schema(ignore)]
    sha256: [u8; 32],
}

impl Read for RefundRequest {
    fn read(fields: &mut Fields) -> Option<Self> {
        let sha256 = fields.sha256();
        let amount = fields.value_if_any("amount");
        let reason = fields.text("reason", 500)?;
        Some(Self { amount, reason, sha256 })
    }
}

/// The booking, and what is going back with this request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefundedBooking)]
struct Refunded {
    #[serde(flatten)]
    booking: Detail,
    refunds: Vec<Refund>,
}

/// Money on its way back.
#[derive(Debug, Serialize, ToSchema)]
struct Refund {
    id: i64,
    /// Rupees with two places.
    #[schema(value_type = String, example = "750.10")]
    amount: Money,
    /// `queued` until Razorpay has been asked, within a minute or two; cash is `processed`: hand it out.
    #[schema(example = "queued")]
    status: String,
    reason: String,
}

/// Money that was paid and has not gone back.
struct Left {
    capture: i64,
    is_online: bool,
    paise: i64,
}

/// Gives money back, to where it came from.
///
/// Money paid too much goes first. A booking whose money has all gone back is `refunded`; before that it stays `completed`.
/// A retry with the same `Idempotency-Key` and body gets the first answer again.
#[utoipa::path(
    post, path = "/staff/bookings/{id}/refund", operation_id = "refund_booking", tag = "Staff", request_body = Json<RefundRequest>,
    params(
        ("id" = i64, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters; makes a retry safe."),
    ),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Refunded>),
        (status = 400, description = "`amount` is more than what is left, or less than Razorpay gives back.", body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`API_KEY_INVALID` or `PERMISSION_DENIED`.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`IDEMPOTENCY_IN_PROGRESS`.", body = ErrorBody),
        (status = 422, description = "The key was used with another body.", body = ErrorBody),
    )
)]
async fn refund(
    staff: Staff,
    State(database): State<Database>,
    Id(id): Id,
    MaybeKey(key): MaybeKey,
    Json(wanted): Json<RefundRequest>,
) -> Result<Response> {
    let mut transaction = database.begin().await?;
    let outcome = give_back(&mut transaction, id, &wanted, key.as_ref(), &staff.actor()).await;
    change::end(transaction, &database, outcome.map_err(Refused::from)).await
}

async fn give_back(
    connection: &mut PgConnection,
    id: i64,
    wanted: &RefundRequest,
    key: Option<&Key>,
    actor: &Actor,
) -> Result<Response> {
    let scope = format!("POST /api/staff/bookings/{id}/refund/");
    if let Some(answer) = idempotency::replay(connection, &scope, key, &wanted.sha256).await? {
        return Ok(answer);
    }
    let booking = change::lock(connection, id).await?;
    let left = sqlx::query_as!(
        Left,
        r#"
        select id as capture, gateway_payment_id is not null as "is_online!", amount_paise - refunded_paise as "paise!"
        from captures
        where booking_id = $1 and state = 'captured' and refunded_paise < amount_paise
        order by pays_booking, id
        "#,
        id
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut queued = Vec::new();
    for (capture, paise) in spread(&left, wanted.amount.map(Money::paise))? {
        queued.push(payments::queue(connection, &booking, capture, paise, &wanted.reason, actor).await?);
    }
    let refunds = sqlx::query_as!(
        Refund,
        r#"
        select id, amount_paise as "amount: Money", state::text as "status!", reason from refunds
        where id = any($1) order by id
        "#,
        &queued
    )
    .fetch_all(&mut *connection)
    .await?;
    let booking = change::lock(connection, id).await?.into();
    let body = Envelope::new("Refund requested successfully", Refunded { booking, refunds });
    idempotency::answer(connection, &scope, key, StatusCode::OK, &body).await
}

/// How much goes back of which capture.
fn spread(left: &[Left], wanted: Option<i64>) -> Result<Vec<(i64, i64)>> {
    let whole: i64 = left.iter().map(|left| left.paise).sum();
    if whole == 0 {
        return Err(Error::field("amount", "Nothing is left to be refunded."));
    }
    let mut open = wanted.unwrap_or(whole);
    if open > whole {
        return Err(Error::field("amount", &format!("At most {} can be refunded.", Money::from_paise(whole))));
    }
    let mut parts = Vec::new();
    for left in left {
        let part = open.min(left.paise);
        if part == 0 {
            break;
        }
        if left.is_online && part < LEAST_ONLINE_PAISE {
            let least = Money::from_paise(LEAST_ONLINE_PAISE);
            return Err(Error::field("amount", &format!("Razorpay gives nothing back below {least}.")));
        }
        parts.push((left.capture, part));
        open -= part;
    }
    Ok(parts)
}

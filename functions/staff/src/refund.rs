//! Refunds a booking in full or in part.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    Result,
    bookings::{
        Actor, LONGEST_REASON,
        booking::{self, Detail},
    },
    database::Database,
    http::{Envelope, ErrorBody, Fields, Id, Json, Read, Routes, Whole, routes},
    idempotency::{self, Key, MaybeKey},
    ids::BookingId,
    money::Money,
    payments::{refunds, states::ByHand},
    staff::Staff,
    written::Written,
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::App;

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
    /// `hand` if the money was given back at the shop already: Razorpay is not asked.
    #[schema(value_type = String)]
    by: Option<Hand>,
    /// How it was given back by hand: `cash` from the drawer, which is the default, or `transfer` from the bank account.
    #[schema(value_type = String)]
    way: Option<ByHand>,
    /// What proves it, such as the number of the transfer. Required with `by`.
    proof: Option<String>,
    /// As the header `Idempotency-Key`, which wins over it.
    #[schema(value_type = Option<String>)]
    idempotency_key: Option<Key>,
    #[schema(ignore)]
    whole: Whole,
}

impl Read for RefundRequest {
    fn read(fields: &mut Fields) -> Option<Self> {
        let whole = fields.whole();
        let amount = fields.value_if_sent("amount");
        let idempotency_key = Key::in_body(fields);
        let reason = fields.text("reason", LONGEST_REASON);
        let by = fields.value_if_any("by");
        let way = fields.value_if_any("way");
        let proof = if by.is_some() {
            fields.text("proof", LONGEST_REASON)
        } else {
            fields.text_or_empty("proof", LONGEST_REASON)
        };
        Some(Self { amount, reason: reason?, by, way, proof, idempotency_key, whole })
    }
}

/// The way beside Razorpay.
#[derive(Clone, Copy, Debug)]
struct Hand;

impl Written for Hand {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "hand" { Ok(Self) } else { Err(format!("\"{text}\" is not a valid choice.")) }
    }

    fn rules() -> Value {
        json!({ "enum": ["hand"] })
    }
}

/// The booking, and what is going back with this request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefundedBooking)]
struct Refunded {
    #[serde(flatten)]
    booking: Detail,
    refunds: Vec<refunds::Shown>,
}

/// Gives money back, to where it came from; with `by: "hand"` records money that was given back in another way.
///
/// Money paid too much goes first. A booking whose money has all gone back is `refunded`; before that it stays `completed`.
/// A retry with the same `Idempotency-Key` and body gets the first answer again.
#[utoipa::path(
    post, path = "/staff/bookings/{id}/refund", operation_id = "refund_booking", tag = "Staff", request_body = Json<RefundRequest>,
    params(
        ("id" = i64, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe."),
    ),
    security(("staff_key" = []), ("session" = [])),
    responses(
        (status = 200, body = Envelope<Refunded>),
        (status = 400, description = "`amount` is more than what is left, less than Razorpay gives back, or leaves such a rest.", body = ErrorBody),
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
    Id(id): Id<BookingId>,
    MaybeKey(key): MaybeKey,
    Json(mut wanted): Json<RefundRequest>,
) -> Result<Response> {
    let key = key.or(wanted.idempotency_key.take()).map(|key| key.of(&staff.label));
    let give_back =
        async |connection: &mut PgConnection| give_back(connection, id, &wanted, key.as_ref(), &staff.actor()).await;
    database.transaction(give_back).await
}

async fn give_back(
    connection: &mut PgConnection,
    id: BookingId,
    wanted: &RefundRequest,
    key: Option<&Key>,
    actor: &Actor,
) -> Result<Response> {
    let scope = format!("POST /api/staff/bookings/{id}/refund/");
    if let Some(answer) = idempotency::replay(connection, &scope, key, &wanted.whole).await? {
        return Ok(answer);
    }
    let booking = booking::lock(connection, id).await?;
    let queued = match (wanted.by, &wanted.proof) {
        (Some(Hand), Some(proof)) => {
            let (reason, way) = (format!("{} ({proof})", wanted.reason), wanted.way.unwrap_or(ByHand::Cash));
            refunds::request_by_hand(connection, &booking, wanted.amount, way, &reason, actor).await?
        }
        _ => refunds::request(connection, &booking, wanted.amount, &wanted.reason, actor).await?,
    };
    let refunds = refunds::list(&mut *connection, &queued).await?;
    let booking = Detail::for_staff(booking::find(&mut *connection, id).await?);
    let body = Envelope::new("Refund requested successfully", Refunded { booking, refunds });
    idempotency::answer(connection, &scope, key, StatusCode::OK, &body).await
}

//! Creation of the Razorpay order that a booking is paid by.

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Result,
    http::{ClientAddress, Envelope, ErrorBody, Fields, Json, Read, Routes, private_json, routes},
    ids::BookingId,
    money::Rupees,
    payments::checkout,
};
use utoipa::ToSchema;

use crate::{App, Enabled};

pub(crate) fn routes() -> Routes<App> {
    routes!(create)
}

/// The booking to pay.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "booking_id": 1 }))]
struct OrderRequest {
    #[schema(value_type = i64)]
    booking_id: BookingId,
}

impl Read for OrderRequest {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { booking_id: fields.id("booking_id")? })
    }
}

/// What the checkout needs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentOrder)]
struct ToPay {
    /// Razorpay's.
    #[schema(example = "order_Q0AaBbCcDdEeFf")]
    order_id: String,
    /// Rupees.
    #[schema(value_type = f64, example = 750.1)]
    amount: Rupees,
    /// The same in paise.
    #[schema(example = 75010)]
    amount_paise: i64,
    #[schema(example = "INR")]
    currency: String,
    /// The public half of the shop's key.
    key_id: String,
}

/// Makes the order that a booking is paid by, or answers the one that is open.
///
/// Paying needs no proof: the answer tells the amount only. Open Razorpay's checkout with `order_id` and `key_id`, then send
/// what it returns to `verify/`.
#[utoipa::path(
    post, path = "/razorpay/create-order", operation_id = "create_order", tag = "Payments", request_body = Json<OrderRequest>,
    responses(
        (status = 200, description = "The order that was open already.", body = Envelope<ToPay>),
        (status = 201, body = Envelope<ToPay>),
        (status = 400, description = "`PAYMENTS_DISABLED`, or fields at fault.", body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, description = "`ALREADY_PAID` or `BOOKING_CANCELLED`.", body = ErrorBody),
        (status = 429, body = ErrorBody),
        (status = 502, body = ErrorBody),
    )
)]
async fn create(
    Enabled(razorpay): Enabled,
    State(app): State<App>,
    address: ClientAddress,
    Json(wanted): Json<OrderRequest>,
) -> Result<Response> {
    app.throttle.check(&[app.limits.orders_per_address.on(&address.0)]).await?;
    let open = checkout::open(&app.database, &razorpay, wanted.booking_id).await?;
    let status = if open.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let to_pay = ToPay {
        order_id: open.order_id,
        amount: Rupees::from(open.amount_paise),
        amount_paise: open.amount_paise,
        currency: open.currency,
        key_id: razorpay.key_id()?,
    };
    Ok(private_json(status, &Envelope::new("Payment order created successfully", to_pay)))
}

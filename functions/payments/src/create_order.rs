//! Creation of the Razorpay order that a booking is paid by.

use std::time::{Duration, Instant};

use axum::{extract::State, response::Response};
use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Error, Result,
    database::Database,
    http::{ClientAddress, Envelope, ErrorBody, Fields, Json, Read, Routes, private_json, routes},
    ids::BookingId,
    money::Rupees,
    payments::orders::{self, Claim, Order},
    razorpay::{self, Failure, Razorpay, SERVICE},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{App, Enabled};

/// Timeout of all calls to Razorpay for one order, shorter than the claim.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a request waits for another that asks Razorpay for the same order: longer than the claim of a killed one.
const WAIT: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_millis(150);

pub(crate) fn routes() -> Routes<App> {
    routes!(create)
}

/// The booking to pay.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "booking_id": 1 }))]
struct OrderRequest {
    booking_id: i64,
}

impl Read for OrderRequest {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { booking_id: fields.integer("booking_id")? })
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
    let reserve = async |connection: &mut PgConnection| orders::reserve(connection, BookingId(wanted.booking_id)).await;
    let (order, is_new) = app.database.transaction(reserve).await?;
    let (order_id, status) = match order.order_id.clone() {
        Some(order_id) => (order_id, StatusCode::OK),
        None => obtain(&app.database, &razorpay, &order, is_new).await?,
    };
    let to_pay = ToPay {
        order_id,
        amount: Rupees::from(order.amount_paise),
        amount_paise: order.amount_paise,
        currency: order.currency,
        key_id: razorpay.key_id()?,
    };
    Ok(private_json(status, &Envelope::new("Payment order created successfully", to_pay)))
}

/// Gets the order from Razorpay. One request asks at a time, and without a transaction: a cancellation does not wait. The
/// others wait for its answer.
async fn obtain(database: &Database, razorpay: &Razorpay, order: &Order, is_new: bool) -> Result<(String, StatusCode)> {
    let end = Instant::now() + WAIT;
    loop {
        match orders::claim(&database.pool(), order.id).await? {
            Claim::Known(order_id) => return Ok((order_id, StatusCode::OK)),
            Claim::Granted => break,
            Claim::Taken if Instant::now() >= end => return Err(Error::UpstreamTimeout { service: SERVICE }),
            Claim::Taken => tokio::time::sleep(PAUSE).await,
        }
    }
    let made = tokio::time::timeout(PATIENCE, make(razorpay, order, is_new)).await;
    match made.unwrap_or(Err(Error::UpstreamTimeout { service: SERVICE })) {
        Ok(made) => Ok((orders::keep(&database.pool(), order.id, &made.id).await?, StatusCode::CREATED)),
        Err(error) => {
            orders::release(&database.pool(), order.id).await?;
            Err(error)
        }
    }
}

async fn make(razorpay: &Razorpay, order: &Order, is_new: bool) -> Result<razorpay::Order> {
    // An earlier request may have been killed before it received Razorpay's answer.
    let lost = if is_new { None } else { find(razorpay, order).await? };
    if let Some(found) = lost {
        return Ok(found);
    }
    match razorpay.create_order(order.amount_paise, &order.currency, &order.receipt).await {
        Ok(made) => Ok(made),
        Err(failure @ Failure::Refused { .. }) => Err(failure.into()),
        Err(Failure::Unknown(error)) => find(razorpay, order).await.ok().flatten().ok_or(error),
    }
}

/// Finds an order that Razorpay created although its answer was lost.
async fn find(razorpay: &Razorpay, order: &Order) -> Result<Option<razorpay::Order>> {
    let found = razorpay.orders_with_receipt(&order.receipt).await?;
    Ok(found.into_iter().find(|found| order.fits(found.amount, &found.currency)))
}

//! Verification of a payment that the browser reports after Razorpay's checkout.

use axum::extract::State;
use serde::Serialize;
use shared::{
    Error, Result,
    bookings::{booking, status::PaymentStatus},
    http::{ClientAddress, Envelope, ErrorBody, Fields, Json, Read, Routes, routes},
    ids::BookingId,
    payments::{orders, settle},
    razorpay::{Failure, PaymentStatus as GatewayStatus},
};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{App, Enabled};

pub(crate) fn routes() -> Routes<App> {
    routes!(verify)
}

/// What Razorpay's checkout gave the browser.
#[derive(Debug, ToSchema)]
#[schema(as = CheckoutResult, example = json!({
    "razorpay_order_id": "order_Q0AaBbCcDdEeFf", "razorpay_payment_id": "pay_Q0AaBbCcDdEeFf",
    "razorpay_signature": "9b857e32e5f79d770b469a4d7b3e5c5386004a677823dcbdddfef8fc7c6a8e18"
}))]
struct Checkout {
    razorpay_order_id: String,
    razorpay_payment_id: String,
    razorpay_signature: String,
}

impl Read for Checkout {
    fn read(fields: &mut Fields) -> Option<Self> {
        let order = fields.text("razorpay_order_id", 100);
        let payment = fields.text("razorpay_payment_id", 100);
        let signature = fields.text("razorpay_signature", 200);
        Some(Self { razorpay_order_id: order?, razorpay_payment_id: payment?, razorpay_signature: signature? })
    }
}

/// The booking after the payment was verified.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VerifiedPayment)]
struct Verified {
    #[schema(value_type = i64)]
    booking_id: BookingId,
    payment_status: PaymentStatus,
}

/// Verifies a payment.
///
/// Checks the signature, then asks Razorpay for order, amount, currency and status. An authorized payment is captured. Safe
/// to repeat.
#[utoipa::path(
    post, path = "/razorpay/verify", operation_id = "verify_payment", tag = "Payments", request_body = Json<Checkout>,
    responses(
        (status = 200, body = Envelope<Verified>),
        (status = 400, description = "`INVALID_SIGNATURE`, `PAYMENTS_DISABLED`, or fields at fault.", body = ErrorBody),
        (status = 404, description = "The order is none of ours.", body = ErrorBody),
        (status = 429, body = ErrorBody),
        (status = 502, body = ErrorBody),
    )
)]
async fn verify(
    Enabled(razorpay): Enabled,
    State(app): State<App>,
    address: ClientAddress,
    Json(checkout): Json<Checkout>,
) -> Result<Envelope<Verified>> {
    app.throttle.check(&[app.orders_per_address.on(&address.0)]).await?;
    let Checkout { razorpay_order_id: order_id, razorpay_payment_id: payment_id, razorpay_signature } = checkout;
    let order = orders::with_order_id(&app.database, &order_id).await?.ok_or(Error::NotFound("Payment record"))?;
    if !razorpay.is_signed(&order_id, &payment_id, &razorpay_signature).await? {
        return Err(Error::InvalidSignature);
    }
    let mut payment = razorpay.payment(&payment_id).await.map_err(|failure| match failure {
        Failure::Refused { .. } => Error::InvalidSignature,
        failure @ Failure::Unknown(_) => failure.into(),
    })?;
    let fits = payment.order_id.as_deref() == Some(&order_id) && order.fits(payment.amount, &payment.currency);
    if !fits {
        return Err(Error::InvalidSignature);
    }
    if payment.status == GatewayStatus::Authorized {
        payment = razorpay.capture(&payment).await?;
    }
    if !matches!(payment.status, GatewayStatus::Authorized | GatewayStatus::Captured | GatewayStatus::Refunded) {
        return Err(Error::InvalidSignature);
    }
    let paid = [payment];
    let refunds = razorpay.refunds_of_all(&paid).await?;
    let settle = async |connection: &mut PgConnection| settle(connection, &order_id, &paid, &refunds).await;
    let settlement = app.database.transaction(settle).await?;
    let booking_id = settlement.booking_id.ok_or(Error::NotFound("Payment record"))?;
    let payment_status = booking::find(&app.database.pool(), booking_id).await?.payment_status;
    Ok(Envelope::new("Payment verified successfully", Verified { booking_id, payment_status }))
}

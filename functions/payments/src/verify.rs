//! Verification of a payment that the browser reports after Razorpay's checkout.

use axum::extract::State;
use serde::Serialize;
use shared::{
    Result,
    bookings::{booking, status::PaymentStatus},
    http::{ClientAddress, Envelope, ErrorBody, Fields, Json, Read, Routes, routes},
    ids::BookingId,
    payments::checkout::{self, Paid},
};
use utoipa::ToSchema;

use crate::{App, Keyed};

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
/// Checks the signature, then asks Razorpay for order, amount, currency and status. An authorized payment that fits is
/// captured. Safe to repeat. After a signature with a key of before, the payment is settled within a minute or two.
#[utoipa::path(
    post, path = "/razorpay/verify", operation_id = "verify_payment", tag = "Payments", request_body = Json<Checkout>,
    responses(
        (status = 200, body = Envelope<Verified>),
        (status = 400, description = "`INVALID_SIGNATURE`, `PAYMENTS_DISABLED`, or fields at fault.", body = ErrorBody),
        (status = 404, description = "The order is none of ours.", body = ErrorBody),
        (status = 409, description = "`PAYMENT_MISMATCH`: the payment is noted, and does not fit its order.", body = ErrorBody),
        (status = 429, body = ErrorBody),
        (status = 502, body = ErrorBody),
    )
)]
async fn verify(
    Keyed(razorpay): Keyed,
    State(app): State<App>,
    address: ClientAddress,
    Json(checkout): Json<Checkout>,
) -> Result<Envelope<Verified>> {
    app.throttle.check(&[app.limits.verifications_per_address.on(&address.0)]).await?;
    let Checkout { razorpay_order_id: order_id, razorpay_payment_id: payment_id, razorpay_signature: signature } =
        checkout;
    let paid = Paid { order_id, payment_id, signature };
    let booking_id = checkout::verify(&app.database, &razorpay, &paid).await?;
    let payment_status = booking::find(&app.database.pool(), booking_id).await?.payment_status;
    Ok(Envelope::new("Payment verified successfully", Verified { booking_id, payment_status }))
}

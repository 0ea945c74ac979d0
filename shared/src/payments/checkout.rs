//! Online payment of a booking: gets its order from Razorpay, and verifies what Razorpay's checkout gave the browser.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::{
    orders::{self, Claim, Order},
    settle,
};
use crate::{
    Error, Result,
    database::Database,
    ids::BookingId,
    razorpay::{self, Failure, PaymentStatus, Razorpay, SERVICE},
};

/// Timeout of all calls to Razorpay for one order, shorter than the claim.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a request waits for another that asks Razorpay for the same order: longer than the claim of a killed one.
const WAIT: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_millis(150);

/// An order that can be paid.
#[derive(Debug)]
pub struct Open {
    /// Razorpay's.
    pub order_id: String,
    pub amount_paise: i64,
    pub currency: String,
    /// Whether Razorpay has just made it; else it was open already.
    pub is_new: bool,
}

/// What Razorpay's checkout gives the browser of a customer who has paid.
#[derive(Debug)]
pub struct Paid {
    pub order_id: String,
    pub payment_id: String,
    pub signature: String,
}

/// Makes the order that a booking is paid by, or finds the one that is open.
pub async fn open(database: &Database, razorpay: &Razorpay, booking: BookingId) -> Result<Open> {
    let reserve = async |connection: &mut PgConnection| orders::reserve(connection, booking).await;
    let (order, is_new) = database.transaction(reserve).await?;
    let (order_id, is_new) = match order.order_id.clone() {
        Some(order_id) => (order_id, false),
        None => obtain(database, razorpay, &order, is_new).await?,
    };
    Ok(Open { order_id, amount_paise: order.amount_paise, currency: order.currency, is_new })
}

/// Gets the order from Razorpay. One request asks at a time, and without a transaction: a cancellation does not wait. The
/// others wait for its answer.
async fn obtain(database: &Database, razorpay: &Razorpay, order: &Order, is_new: bool) -> Result<(String, bool)> {
    let end = Instant::now() + WAIT;
    loop {
        match orders::claim(&database.pool(), order.id).await? {
            Claim::Known(order_id) => return Ok((order_id, false)),
            Claim::Granted => break,
            Claim::Taken if Instant::now() >= end => return Err(Error::UpstreamTimeout { service: SERVICE }),
            Claim::Taken => tokio::time::sleep(PAUSE).await,
        }
    }
    let made = tokio::time::timeout(PATIENCE, make(razorpay, order, is_new)).await;
    match made.unwrap_or(Err(Error::UpstreamTimeout { service: SERVICE })) {
        Ok(made) => Ok((orders::keep(&database.pool(), order.id, &made.id).await?, true)),
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

/// Verifies a payment and settles it: checks the signature, then asks Razorpay for order, amount, currency and status. An
/// authorized payment that fits is captured. Safe to repeat. Returns the booking that the order is of.
pub async fn verify(database: &Database, razorpay: &Razorpay, paid: &Paid) -> Result<BookingId> {
    let Paid { order_id, payment_id, signature } = paid;
    let order = orders::with_order_id(database, order_id).await?.ok_or(Error::NotFound("Payment record"))?;
    if !razorpay.is_signed(order_id, payment_id, signature).await? {
        // It may be signed with a key that was rotated away: Razorpay knows whether the order is paid.
        orders::ask_now(&database.pool(), order.id).await?;
        return Err(Error::InvalidSignature);
    }
    let mut payment = razorpay.payment(payment_id).await.map_err(|failure| match failure {
        Failure::Refused { .. } => Error::InvalidSignature,
        failure @ Failure::Unknown(_) => failure.into(),
    })?;
    if payment.order_id.as_ref() != Some(order_id) {
        return Err(Error::InvalidSignature);
    }
    if payment.status == PaymentStatus::Authorized && order.is_paid_by(&payment) {
        payment = razorpay.capture(&payment).await?;
    }
    if !matches!(payment.status, PaymentStatus::Authorized | PaymentStatus::Captured | PaymentStatus::Refunded) {
        return Err(Error::InvalidSignature);
    }
    let fits = order.is_paid_by(&payment);
    let payments = [payment];
    let refunds = razorpay.refunds_of_all(&payments).await?;
    let settle = async |connection: &mut PgConnection| settle(connection, order_id, &payments, &refunds).await;
    let settlement = database.transaction(settle).await?;
    if !fits {
        return Err(Error::PaymentMismatch);
    }
    settlement.booking_id.ok_or(Error::NotFound("Payment record"))
}

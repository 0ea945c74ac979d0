//! Refunds by hand: money given back at the shop, from the drawer or from the shop's bank account, and not by Razorpay.

use sqlx::PgConnection;

use super::queue;
use crate::{
    Error, Result,
    bookings::{Actor, Booking},
    ids::{CaptureId, RefundId},
    money::Money,
    payments::states::ByHand,
};

/// Records money that was given back by hand for a capture of a locked booking: processed at once, never sent to
/// Razorpay. `reason` says why, and how it can be proved. At most what is left of the capture.
pub async fn record(
    connection: &mut PgConnection,
    booking: &Booking,
    capture: CaptureId,
    amount: Money,
    by: ByHand,
    reason: &str,
    actor: &Actor,
) -> Result<RefundId> {
    let left = left(connection, booking, capture).await?;
    if left.paise() == 0 {
        return Err(Error::field("amount", "Nothing is left to be given back."));
    }
    if amount > left {
        return Err(Error::field("amount", &format!("At most {left} can be given back.")));
    }
    queue::write(connection, booking, capture, amount.paise(), Some(by), reason, actor).await
}

/// What is left of a capture of this booking; 404 if it has no such money.
pub(super) async fn left(connection: &mut PgConnection, booking: &Booking, capture: CaptureId) -> Result<Money> {
    let left = sqlx::query_scalar!(
        r#"
        select amount_paise - refunded_paise as "left!: Money" from captures
        where id = $1 and booking_id = $2 and state = 'captured'
        "#,
        capture.0,
        booking.id.0
    )
    .fetch_optional(connection)
    .await?;
    left.ok_or(Error::NotFound("Payment"))
}

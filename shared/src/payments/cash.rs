//! Cash payments at the counter: the whole total of a booking, once.

use sqlx::PgConnection;

use super::paid::{self, Means};
use crate::{
    Error, Result,
    bookings::{
        Actor, Booking,
        status::{BookingStatus, PaymentMethod, PaymentStatus},
    },
    ids::{CaptureId, PaymentId},
    money::Money,
};

/// Records cash for a locked booking that is neither paid nor cancelled; one that was refunded in full can be paid again. The amount must be its total.
pub async fn record(connection: &mut PgConnection, booking: &mut Booking, amount: Money, actor: &Actor) -> Result<()> {
    if booking.payment_status == PaymentStatus::Completed {
        return Err(Error::AlreadyPaid);
    }
    if booking.booking_status == BookingStatus::Cancelled {
        return Err(Error::BookingCancelled);
    }
    if amount != booking.total_amount {
        return Err(Error::field("amount", &format!("Take the whole total, {}.", booking.total_amount)));
    }
    take(connection, booking, actor).await
}

/// Inserts the cash payment of a locked booking that is not paid.
pub async fn take(connection: &mut PgConnection, booking: &mut Booking, actor: &Actor) -> Result<()> {
    let taken = sqlx::query!(
        r#"
        with payment as (
            insert into payments (booking_id, method, amount_paise, state, actor)
            values ($1, 'cash', $2, 'settled', $3)
            returning id
        )
        insert into captures (payment_id, booking_id, state, amount_paise, captured_at)
        select id, $1, 'captured', $2, now() from payment
        returning id, payment_id
        "#,
        booking.id.0,
        booking.total_amount.paise(),
        actor.to_string()
    )
    .fetch_one(&mut *connection)
    .await?;
    let means =
        Means { payment: PaymentId(taken.payment_id), capture: CaptureId(taken.id), method: PaymentMethod::Cash };
    Ok(paid::write(connection, booking, means, actor).await?)
}

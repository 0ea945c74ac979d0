//! Status transitions of a booking and their effects: freed capacity, refunds, cash counted as paid.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{
    Actor, Booking,
    slot_usage::{self, Refused},
    status::{BookingStatus, PaymentMethod, PaymentStatus},
    timeline::Event,
};
use crate::{
    Error,
    ids::BookingId,
    outbox::Message,
    payments::{cash, refunds},
};

/// The error for a transition that is not allowed; it lists the allowed ones.
pub fn illegal(from: BookingStatus) -> Error {
    Error::IllegalTransition(from.successors().iter().map(|status| status.as_str()).collect())
}

/// Changes the status of a locked booking. Idempotent: the same status changes nothing. Cancellation frees its capacity
/// and queues refunds of online payments; completion counts a cash booking as paid.
pub async fn set_status(
    connection: &mut PgConnection,
    mut booking: Booking,
    to: BookingStatus,
    actor: &Actor,
    reason: &str,
) -> Result<Booking, Refused> {
    let from = booking.booking_status;
    if from == to {
        return Ok(booking);
    }
    if !from.successors().contains(&to) {
        return Err(illegal(from).into());
    }
    (booking.updated_at, booking.version) = write(connection, booking.id, (from, to), actor, reason).await?;
    booking.booking_status = to;
    // By a trigger: neither a booking that was confirmed nor one that was cancelled is unproved.
    booking.is_unproved = false;
    match to {
        BookingStatus::Cancelled => {
            refunds::give_back_all(connection, &booking).await?;
            slot_usage::free(connection, &booking.visit()).await?;
        }
        BookingStatus::Completed if is_unpaid_cash(&booking) => {
            cash::take(connection, &mut booking, actor).await?;
        }
        _ => {}
    }
    Ok(booking)
}

/// Cancels a locked booking whose customer did not come: its time must have begun, its work not.
pub async fn set_no_show(connection: &mut PgConnection, booking: Booking, actor: &Actor) -> Result<Booking, Refused> {
    if booking.is_no_show {
        return Ok(booking);
    }
    if !booking.booking_status.is_up_to_customer() {
        return Err(illegal(booking.booking_status).into());
    }
    let has_begun = sqlx::query_scalar!(
        r#"select $1::date + $2::time <= shop_clock(now()) as "has_begun!""#,
        booking.appointment_date,
        booking.appointment_time
    )
    .fetch_one(&mut *connection)
    .await?;
    if !has_begun {
        return Err(Error::field("status", "The appointment has not begun yet.").into());
    }
    let mut booking =
        set_status(connection, booking, BookingStatus::Cancelled, actor, "the customer did not come").await?;
    sqlx::query!("update bookings set is_no_show = true where id = $1", booking.id.0).execute(connection).await?;
    booking.is_no_show = true;
    Ok(booking)
}

fn is_unpaid_cash(booking: &Booking) -> bool {
    booking.payment_method == PaymentMethod::Cash && booking.payment_status == PaymentStatus::Pending
}

async fn write(
    connection: &mut PgConnection,
    id: BookingId,
    (from, to): (BookingStatus, BookingStatus),
    actor: &Actor,
    reason: &str,
) -> sqlx::Result<(DateTime<Utc>, i32)> {
    let written = sqlx::query!(
        "
        update bookings set booking_status = $3, version = version + 1, updated_at = now()
        where id = $1
        returning updated_at, version, write_event($1, $6, $2, $3, $4, $5) as event,
            write_message($7, jsonb_build_object('booking_id', $1::bigint)) as message
        ",
        id.0,
        from as BookingStatus,
        to as BookingStatus,
        actor.to_string(),
        reason,
        Event::from(to) as Event,
        Message::from(to) as Message
    )
    .fetch_one(connection)
    .await?;
    Ok((written.updated_at, written.version))
}

//! Marking a booking as paid: capture, payment, booking, event and message in one statement.

use sqlx::PgConnection;

use crate::{
    bookings::{
        Actor, Booking,
        status::{BookingStatus, PaymentMethod, PaymentStatus},
        timeline::Event,
    },
    ids::{CaptureId, PaymentId},
    metrics::{self, Count},
    outbox::Message,
};

/// The payment and the capture that a booking is paid with.
pub(super) struct Means {
    pub(super) payment: PaymentId,
    pub(super) capture: CaptureId,
    pub(super) method: PaymentMethod,
}

pub(super) async fn write(
    connection: &mut PgConnection,
    booking: &mut Booking,
    means: Means,
    actor: &Actor,
) -> sqlx::Result<()> {
    if booking.payment_status == PaymentStatus::Refunded {
        // One capture at most pays a booking. Its own statement: a unique index is checked row by row.
        sqlx::query!(
            "update captures set pays_booking = false, updated_at = now() where booking_id = $1 and pays_booking",
            booking.id.0
        )
        .execute(&mut *connection)
        .await?;
    }
    let written = sqlx::query!(
        "
        with capture as (
            update captures set pays_booking = true, updated_at = now() where id = $2
        ), payment as (
            update payments set state = 'settled', updated_at = now() where id = $1
        )
        update bookings set
            payment_status = 'completed', payment_method = $6, version = version + 1, updated_at = now()
        where id = $3
        returning updated_at, version, write_event($3, $7, $4, $4, $5) as event,
            write_message($8, jsonb_build_object('booking_id', $3::bigint)) as message
        ",
        means.payment.0,
        means.capture.0,
        booking.id.0,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        means.method as PaymentMethod,
        Event::Paid as Event,
        Message::BookingPaid as Message
    )
    .fetch_one(connection)
    .await?;
    metrics::count(Count::PaymentsSettled);
    (booking.payment_status, booking.payment_method) = (PaymentStatus::Completed, means.method);
    (booking.updated_at, booking.version) = (written.updated_at, written.version);
    Ok(())
}

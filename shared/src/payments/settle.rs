//! Settlement: the one function by which a payment moves forward.

use sqlx::PgConnection;
use tracing::error;

use super::{
    paid::{self, Means},
    refunds::{self, Told},
    states::CaptureState,
};
use crate::{
    Result,
    bookings::{
        Actor, Booking, booking,
        status::{BookingStatus, PaymentMethod, PaymentStatus},
    },
    ids::{BookingId, CaptureId, PaymentId},
    metrics::{self, Count},
    razorpay::{Payment, PaymentStatus as GatewayStatus, Refund},
};

/// The effect of [`settle`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// The booking, if the order is ours.
    pub booking_id: Option<BookingId>,
    /// Whether the booking is paid now.
    pub is_paid: bool,
    /// Payments that were new or moved forward.
    pub applied: usize,
    /// Refunds that were new or moved forward.
    pub refunds: usize,
    /// Payments whose amount or currency differs from their order's; a person must look at them.
    pub mismatched: usize,
}

/// Applies Razorpay's state of the payments of an order and of their refunds. The only way a payment moves forward; it
/// never moves back.
///
/// A capture pays an unpaid booking. A capture for a paid or cancelled booking is queued for refund, and so is one of another
/// amount than the booking's total: its services have changed since the order was made.
pub async fn settle(
    connection: &mut PgConnection,
    order_id: &str,
    payments: &[Payment],
    refunds: &[Refund],
) -> Result<Settlement> {
    let order = sqlx::query!("select booking_id from payments where order_id = $1", order_id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(order) = order else { return Ok(Settlement::default()) };
    let mut booking = booking::lock(connection, BookingId(order.booking_id)).await?;
    let order = sqlx::query!(r#"select id, amount_paise, currency from payments where order_id = $1"#, order_id)
        .fetch_one(&mut *connection)
        .await?;
    let mut settlement = Settlement { booking_id: Some(booking.id), ..Settlement::default() };
    let mut to_give_back = Vec::new();
    for payment in payments.iter().filter(|payment| payment.order_id.as_deref() == Some(order_id)) {
        if payment.amount != order.amount_paise || payment.currency != order.currency {
            error!(booking.id = booking.id.0, payment.id, "a payment does not fit its order");
            metrics::count(Count::PaymentMismatches);
            settlement.mismatched += 1;
            continue;
        }
        let Some(state) = state(payment) else { continue };
        let moved = write_capture(connection, PaymentId(order.id), booking.id, payment, state).await?;
        let Some(capture) = moved else {
            complete(connection, PaymentId(order.id), payment, state).await?;
            continue;
        };
        settlement.applied += 1;
        if state == CaptureState::Captured {
            let reason = arrive(connection, &mut booking, PaymentId(order.id), capture, payment.amount).await?;
            to_give_back.extend(reason.map(|reason| (capture, payment, reason)));
        }
    }
    for refund in refunds {
        settlement.refunds += usize::from(refunds::record(connection, refund).await? == Told::News);
    }
    for (capture, payment, reason) in to_give_back {
        // Razorpay may have made refunds that are not recorded here yet.
        let left_there = payment.amount - payment.amount_refunded.unwrap_or_default();
        let amount = refunds::left(connection, capture).await?.min(left_there);
        if amount > 0 {
            refunds::queue(connection, &booking, capture, amount, reason, &Actor::System).await?;
        }
    }
    settlement.is_paid = booking.payment_status != PaymentStatus::Pending;
    Ok(settlement)
}

/// The capture state of a payment's status, if it has one.
fn state(payment: &Payment) -> Option<CaptureState> {
    match payment.status {
        // A refund since then is recorded in `refunds`, not here.
        _ if payment.is_taken() => Some(CaptureState::Captured),
        GatewayStatus::Failed => Some(CaptureState::Failed),
        GatewayStatus::Authorized => Some(CaptureState::Authorized),
        // An authorization that was released before its capture moved no money.
        _ => None,
    }
}

/// Upserts a capture; returns its id if it is new or moved forward.
async fn write_capture(
    connection: &mut PgConnection,
    order: PaymentId,
    booking: BookingId,
    payment: &Payment,
    state: CaptureState,
) -> sqlx::Result<Option<CaptureId>> {
    let id = sqlx::query_scalar!(
        "
        insert into captures as capture (
            payment_id, booking_id, gateway_payment_id, state, amount_paise, captured_at, means, bank, fee_paise, failure
        )
        values ($1, $2, $3, $4, $5, case when $4 = 'captured'::capture_state then now() end, $6, $7, $8, $9)
        on conflict (gateway_payment_id) do update set
            state = excluded.state, captured_at = excluded.captured_at, updated_at = now(),
            means = coalesce(excluded.means, capture.means), bank = coalesce(excluded.bank, capture.bank),
            fee_paise = coalesce(excluded.fee_paise, capture.fee_paise), failure = excluded.failure
            where capture.state < excluded.state and capture.payment_id = excluded.payment_id
        returning id
        ",
        order.0,
        booking.0,
        payment.id,
        state as CaptureState,
        payment.amount,
        payment.method,
        payment.institution(),
        payment.fee,
        payment.failure()
    )
    .fetch_optional(connection)
    .await?;
    Ok(id.map(CaptureId))
}

/// Adds what an earlier report of the same state left out, such as the fee.
async fn complete(
    connection: &mut PgConnection,
    order: PaymentId,
    payment: &Payment,
    state: CaptureState,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update captures set means = coalesce(means, $4::text), bank = coalesce(bank, $5::text),
            fee_paise = coalesce(fee_paise, $6::bigint), failure = coalesce(failure, $7::text), updated_at = now()
        where gateway_payment_id = $1 and payment_id = $2 and state = $3
            and (
                (means is null and $4::text is not null) or (bank is null and $5::text is not null)
                or (fee_paise is null and $6::bigint is not null) or (failure is null and $7::text is not null)
            )
        ",
        payment.id,
        order.0,
        state as CaptureState,
        payment.method,
        payment.institution(),
        payment.fee,
        payment.failure()
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Pays the booking with a new capture if it is unpaid. Returns the reason for a refund, if the money must go back.
async fn arrive(
    connection: &mut PgConnection,
    booking: &mut Booking,
    payment: PaymentId,
    capture: CaptureId,
    amount_paise: i64,
) -> sqlx::Result<Option<&'static str>> {
    let is_paid = booking.payment_status != PaymentStatus::Pending;
    if !is_paid && amount_paise != booking.total_amount.paise() {
        return Ok(Some("paid an earlier total"));
    }
    if !is_paid {
        let means = Means { payment, capture, method: PaymentMethod::Razorpay };
        paid::write(connection, booking, means, &Actor::Razorpay).await?;
    }
    let is_cancelled = booking.booking_status == BookingStatus::Cancelled;
    Ok(is_paid.then_some("paid twice").or(is_cancelled.then_some("paid after cancellation")))
}

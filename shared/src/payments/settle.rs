//! Settlement: the one function by which a payment moves forward.

use sqlx::PgConnection;
use tracing::error;

use super::{
    disputes,
    orders::Order,
    paid::{self, Means},
    refunds::{self, Told},
    states::{CaptureState, PaymentState},
    unmatched::{self, Unmatched},
};
use crate::{
    Result,
    bookings::{
        Actor, Booking, booking,
        status::{BookingStatus, PaymentMethod, PaymentStatus},
        timeline::Event,
    },
    ids::{BookingId, CaptureId, PaymentId},
    metrics::{self, Count},
    money::Money,
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
    /// New payments whose amount or currency differs from their order's; a person must look at them.
    pub mismatched: usize,
}

/// The largest payment that is believed, in paise: a billion rupees. Sums of larger ones might not fit a column.
const MOST_PAISE: i64 = 100_000_000_000;

/// Applies Razorpay's state of the payments of an order and of their refunds. The only way a payment moves forward; it
/// never moves back.
///
/// A capture pays an unpaid booking. A capture for a paid or cancelled booking is queued for refund, and so is one of another
/// amount than the booking's total: its services have changed since the order was made. One that does not fit its order is
/// written down, and a person decides.
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
    let order = sqlx::query_as!(
        Order,
        r#"
        select id, order_id, receipt as "receipt!", amount_paise, currency, state as "state: PaymentState"
        from payments where order_id = $1
        "#,
        order_id
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut settlement = Settlement { booking_id: Some(booking.id), ..Settlement::default() };
    let mut to_give_back = Vec::new();
    for payment in payments.iter().filter(|payment| payment.order_id.as_deref() == Some(order_id)) {
        let Some(state) = state(payment) else { continue };
        if !(1..=MOST_PAISE).contains(&payment.amount) {
            settlement.mismatched += usize::from(refuse(connection, &booking, payment).await?);
            continue;
        }
        let Some(capture) = write_capture(connection, &order, booking.id, payment, state).await? else {
            complete(connection, order.id, payment, state).await?;
            continue;
        };
        settlement.applied += 1;
        if state == CaptureState::Captured {
            disputes::catch_up(connection, &booking, &payment.id).await?;
        }
        if order.is_paid_by(payment) {
            if state == CaptureState::Captured {
                let reason = arrive(connection, &mut booking, &order, capture).await?;
                to_give_back.extend(reason.map(|reason| (capture, payment, reason)));
            }
        } else if state != CaptureState::Failed {
            note_misfit(connection, &booking, payment, state).await?;
            settlement.mismatched += 1;
        }
    }
    for refund in refunds {
        settlement.refunds += usize::from(refunds::record(connection, refund).await? == Told::News);
    }
    for (capture, payment, reason) in to_give_back {
        // Razorpay may have made refunds that are not recorded here yet.
        let left_there = payment.amount - payment.amount_refunded.unwrap_or_default();
        let amount = refunds::left(connection, capture).await?.min(left_there);
        if amount >= refunds::LEAST_ONLINE_PAISE {
            refunds::queue(connection, &booking, capture, amount, reason, &Actor::System).await?;
        }
    }
    settlement.is_paid = booking.payment_status != PaymentStatus::Pending;
    Ok(settlement)
}

/// Writes down a payment whose amount no capture can have; `true` if it is new.
async fn refuse(connection: &mut PgConnection, booking: &Booking, payment: &Payment) -> Result<bool> {
    let told = Unmatched {
        entity_id: &payment.id,
        kind: "payment",
        booking: Some(booking.id),
        order_id: payment.order_id.as_deref(),
        payment_id: Some(&payment.id),
        amount_paise: payment.amount,
        currency: &payment.currency,
        reason: "no payment has such an amount",
    };
    unmatched::write(connection, told).await
}

/// Tells people of a payment whose amount or currency is not that of its order.
async fn note_misfit(
    connection: &mut PgConnection,
    booking: &Booking,
    payment: &Payment,
    state: CaptureState,
) -> Result<()> {
    error!(booking.id = booking.id.0, payment.id, "a payment does not fit its order");
    metrics::count(Count::PaymentMismatches);
    if state == CaptureState::Captured {
        sqlx::query!(
            r#"select write_event($1, $2, $3, $3, 'razorpay', $4) as "event: ()""#,
            booking.id.0,
            Event::PaymentMismatch as Event,
            booking.booking_status as BookingStatus,
            format!("{} {} came", Money::from_paise(payment.amount), payment.currency)
        )
        .fetch_one(connection)
        .await?;
    }
    Ok(())
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
    order: &Order,
    booking: BookingId,
    payment: &Payment,
    state: CaptureState,
) -> sqlx::Result<Option<CaptureId>> {
    let id = sqlx::query_scalar!(
        "
        insert into captures as capture (
            payment_id, booking_id, gateway_payment_id, state, amount_paise, captured_at, means, bank, fee_paise, failure,
            fits, currency
        )
        values ($1, $2, $3, $4, $5, case when $4 = 'captured'::capture_state then now() end, $6, $7, $8, $9, $10, $11)
        on conflict (gateway_payment_id) do update set
            state = excluded.state, captured_at = excluded.captured_at, updated_at = now(),
            amount_paise = excluded.amount_paise, fits = excluded.fits, currency = excluded.currency,
            means = coalesce(excluded.means, capture.means), bank = coalesce(excluded.bank, capture.bank),
            fee_paise = coalesce(excluded.fee_paise, capture.fee_paise), failure = excluded.failure
            where capture.state < excluded.state and capture.payment_id = excluded.payment_id
        returning id
        ",
        order.id.0,
        booking.0,
        payment.id,
        state as CaptureState,
        payment.amount,
        payment.method,
        payment.institution(),
        payment.fee,
        payment.failure(),
        order.is_paid_by(payment),
        payment.currency
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

/// Pays the booking with a new capture if it can be paid. Returns the reason for a refund, if the money must go back.
async fn arrive(
    connection: &mut PgConnection,
    booking: &mut Booking,
    order: &Order,
    capture: CaptureId,
) -> sqlx::Result<Option<&'static str>> {
    let can_be_paid = match booking.payment_status {
        PaymentStatus::Pending => true,
        // Again, with an order that was made since then; the money for an earlier one was paid twice.
        PaymentStatus::Refunded => order.state == PaymentState::Open,
        PaymentStatus::Completed => false,
    };
    if !can_be_paid {
        return Ok(Some("paid twice"));
    }
    if order.amount_paise != booking.total_amount.paise() {
        return Ok(Some("paid an earlier total"));
    }
    let means = Means { payment: order.id, capture, method: PaymentMethod::Razorpay };
    paid::write(connection, booking, means, &Actor::Razorpay).await?;
    let is_cancelled = booking.booking_status == BookingStatus::Cancelled;
    Ok(is_cancelled.then_some("paid after cancellation"))
}

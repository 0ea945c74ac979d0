//! Refunds that staff request: split over the captures of a booking.

use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use super::queue::queue;
use crate::{
    Error, Result,
    bookings::{Actor, Booking},
    ids::{CaptureId, RefundId},
    money::Money,
    payments::states::RefundState,
};

/// Razorpay's minimum refund.
const LEAST_ONLINE_PAISE: i64 = 100;

/// The part of a capture that can still be refunded.
struct Left {
    capture: CaptureId,
    is_online: bool,
    paise: i64,
}

/// Queues refunds that staff request for a locked booking: `amount`, or all that is left. Overpayments go first.
pub async fn request(
    connection: &mut PgConnection,
    booking: &Booking,
    amount: Option<Money>,
    reason: &str,
    actor: &Actor,
) -> Result<Vec<RefundId>> {
    let left = sqlx::query_as!(
        Left,
        r#"
        select id as capture, gateway_payment_id is not null as "is_online!", amount_paise - refunded_paise as "paise!"
        from captures
        where booking_id = $1 and state = 'captured' and refunded_paise < amount_paise
        order by pays_booking, id
        "#,
        booking.id.0
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut queued = Vec::new();
    for (capture, paise) in spread(&left, amount.map(Money::paise))? {
        queued.push(queue(connection, booking, capture, paise, reason, actor).await?);
    }
    Ok(queued)
}

/// Splits the refund over the captures, in the order given.
fn spread(left: &[Left], wanted: Option<i64>) -> Result<Vec<(CaptureId, i64)>> {
    let whole: i64 = left.iter().map(|left| left.paise).sum();
    if whole == 0 {
        return Err(Error::field("amount", "Nothing is left to be refunded."));
    }
    let mut open = wanted.unwrap_or(whole);
    if open > whole {
        return Err(Error::field("amount", &format!("At most {} can be refunded.", Money::from_paise(whole))));
    }
    let mut parts = Vec::new();
    for left in left {
        let part = open.min(left.paise);
        if part == 0 {
            break;
        }
        if left.is_online && part < LEAST_ONLINE_PAISE {
            let least = Money::from_paise(LEAST_ONLINE_PAISE);
            return Err(Error::field("amount", &format!("Razorpay gives nothing back below {least}.")));
        }
        parts.push((left.capture, part));
        open -= part;
    }
    Ok(parts)
}

/// A refund as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct Shown {
    #[schema(value_type = i64)]
    id: RefundId,
    /// Rupees with two places.
    #[schema(value_type = String, example = "750.10")]
    amount: Money,
    /// `queued` until Razorpay has been asked, within a minute or two; cash is `processed`: hand it out.
    status: RefundState,
    reason: String,
}

pub async fn list(executor: impl PgExecutor<'_>, ids: &[RefundId]) -> sqlx::Result<Vec<Shown>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Shown,
        r#"
        select id, amount_paise as "amount: Money", state as "status: RefundState", reason from refunds
        where id = any($1) order by id
        "#,
        &ids
    )
    .fetch_all(executor)
    .await
}

//! Refunds that staff request: split over the captures of a booking.

use chrono::NaiveDateTime;
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use super::{by_hand, queue::queue};
use crate::{
    Error, Result,
    bookings::{Actor, Booking},
    ids::{BookingId, CaptureId, RefundId},
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
    means: Option<String>,
    /// When it was taken, on the shop's clock.
    taken: NaiveDateTime,
}

/// A part of a refund, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub capture: CaptureId,
    pub amount: Money,
    pub to: To,
}

/// Where money goes back to: where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// It is to be handed out.
    Cash,
    /// To an online payment; Razorpay sends it.
    Online {
        /// `upi`, `card` … if Razorpay has told.
        means: Option<String>,
        /// When it was paid, on the shop's clock.
        taken: NaiveDateTime,
    },
}

/// Queues refunds that staff request for a locked booking: `amount`, or all that is left. Overpayments go first.
pub async fn request(
    connection: &mut PgConnection,
    booking: &Booking,
    amount: Option<Money>,
    reason: &str,
    actor: &Actor,
) -> Result<Vec<RefundId>> {
    let parts = preview(&mut *connection, booking.id, amount).await?;
    let mut queued = Vec::new();
    for part in parts {
        queued.push(queue(connection, booking, part.capture, part.amount.paise(), reason, actor).await?);
    }
    Ok(queued)
}

/// Queues a refund of all that is left of one capture of a locked booking, such as after a refund that has failed.
pub async fn again(
    connection: &mut PgConnection,
    booking: &Booking,
    capture: CaptureId,
    reason: &str,
    actor: &Actor,
) -> Result<RefundId> {
    by_hand::left(connection, booking, capture).await?;
    let mut left = left(&mut *connection, booking.id).await?;
    left.retain(|left| left.capture == capture);
    let parts = spread(&left, None)?;
    let part = parts.first().ok_or(Error::NotFound("Payment"))?;
    queue(connection, booking, capture, part.amount.paise(), reason, actor).await
}

/// What [`request`] would give back, and where to: for a page that asks before. Of a locked booking it stays true until
/// the transaction ends.
pub async fn preview(executor: impl PgExecutor<'_>, booking: BookingId, amount: Option<Money>) -> Result<Vec<Part>> {
    spread(&left(executor, booking).await?, amount.map(Money::paise))
}

/// What is left of each capture of a booking, in the order in which it goes back.
async fn left(executor: impl PgExecutor<'_>, booking: BookingId) -> sqlx::Result<Vec<Left>> {
    sqlx::query_as!(
        Left,
        r#"
        select id as capture, gateway_payment_id is not null as "is_online!", amount_paise - refunded_paise as "paise!",
            means, shop_clock(captured_at) as "taken!"
        from captures
        where booking_id = $1 and state = 'captured' and refunded_paise < amount_paise
        order by pays_booking, id
        "#,
        booking.0
    )
    .fetch_all(executor)
    .await
}

/// Splits the refund over the captures, in the order given.
fn spread(left: &[Left], wanted: Option<i64>) -> Result<Vec<Part>> {
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
        let to = if left.is_online { To::Online { means: left.means.clone(), taken: left.taken } } else { To::Cash };
        parts.push(Part { capture: left.capture, amount: Money::from_paise(part), to });
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

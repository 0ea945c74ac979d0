//! Refunds that staff request: split over the captures of a booking.

use chrono::NaiveDateTime;
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use super::{by_hand, queue::queue, rests::LEAST_ONLINE_PAISE};
use crate::{
    Error, Result,
    bookings::{Actor, Booking},
    ids::{BookingId, CaptureId, CustomerId, RefundId},
    money::Money,
    payments::states::{ByHand, RefundState},
};

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

/// Records money that staff gave back by hand for a locked booking: `amount`, or all that is left. Razorpay is not asked, so
/// its minimum does not bind.
pub async fn request_by_hand(
    connection: &mut PgConnection,
    booking: &Booking,
    amount: Option<Money>,
    by: ByHand,
    reason: &str,
    actor: &Actor,
) -> Result<Vec<RefundId>> {
    let left = left(&mut *connection, booking.id, 1).await?;
    let mut recorded = Vec::new();
    for (left, paise) in shares(&left, amount.map(Money::paise))? {
        let amount = Money::from_paise(paise);
        recorded.push(by_hand::record(connection, booking, left.capture, amount, by, reason, actor).await?);
    }
    Ok(recorded)
}

/// Queues a refund of all that is left of one capture of a locked booking, such as after a refund that has failed.
pub async fn again(
    connection: &mut PgConnection,
    booking: &Booking,
    capture: CaptureId,
    reason: &str,
    actor: &Actor,
) -> Result<RefundId> {
    let left = by_hand::left(connection, booking, capture).await?.paise();
    if left == 0 {
        return Err(Error::field("amount", NOTHING_LEFT));
    }
    let is_online = sqlx::query_scalar!(
        r#"select gateway_payment_id is not null as "is_online!" from captures where id = $1"#,
        capture.0
    )
    .fetch_one(&mut *connection)
    .await?;
    if is_online && left < LEAST_ONLINE_PAISE {
        return Err(too_little());
    }
    queue(connection, booking, capture, left, reason, actor).await
}

/// What [`request`] would give back, and where to: for a page that asks before. Of a locked booking it stays true until
/// the transaction ends.
pub async fn preview(executor: impl PgExecutor<'_>, booking: BookingId, amount: Option<Money>) -> Result<Vec<Part>> {
    spread(&left(executor, booking, LEAST_ONLINE_PAISE).await?, amount.map(Money::paise))
}

/// What is left in rupees of each capture of a booking, in the order in which it goes back, without online rests below
/// `least`.
async fn left(executor: impl PgExecutor<'_>, booking: BookingId, least: i64) -> sqlx::Result<Vec<Left>> {
    sqlx::query_as!(
        Left,
        r#"
        select id as capture, gateway_payment_id is not null as "is_online!", amount_paise - refunded_paise as "paise!",
            means, shop_clock(captured_at) as "taken!"
        from captures
        where booking_id = $1 and state = 'captured' and currency = 'INR' and refunded_paise < amount_paise
            and (gateway_payment_id is null or amount_paise - refunded_paise >= $2)
        order by pays_booking, id
        "#,
        booking.0,
        least
    )
    .fetch_all(executor)
    .await
}

const NOTHING_LEFT: &str = "Nothing is left to be refunded.";

/// Splits an amount over the captures, in the order given: what goes back of each.
fn shares(left: &[Left], wanted: Option<i64>) -> Result<Vec<(&Left, i64)>> {
    let whole: i64 = left.iter().map(|left| left.paise).sum();
    if whole == 0 {
        return Err(Error::field("amount", NOTHING_LEFT));
    }
    let mut open = wanted.unwrap_or(whole);
    if open > whole {
        return Err(Error::field("amount", &format!("At most {} can be refunded.", Money::from_paise(whole))));
    }
    let mut shares = Vec::new();
    for left in left {
        let share = open.min(left.paise);
        if share > 0 {
            shares.push((left, share));
        }
        open -= share;
    }
    Ok(shares)
}

/// The parts of a refund that Razorpay can make and that leave no rest that it cannot.
fn spread(left: &[Left], wanted: Option<i64>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut before = 0;
    for (left, share) in shares(left, wanted)? {
        if left.is_online && share < LEAST_ONLINE_PAISE {
            return Err(too_little());
        }
        if left.is_online && (1..LEAST_ONLINE_PAISE).contains(&(left.paise - share)) {
            return Err(stuck_rest(before, left.paise));
        }
        let to = if left.is_online { To::Online { means: left.means.clone(), taken: left.taken } } else { To::Cash };
        parts.push(Part { capture: left.capture, amount: Money::from_paise(share), to });
        before += share;
    }
    Ok(parts)
}

fn too_little() -> Error {
    let least = Money::from_paise(LEAST_ONLINE_PAISE);
    Error::field("amount", &format!("Razorpay gives nothing back below {least}."))
}

/// Names the amounts that leave no stuck rest of a payment of which `left` is left, after `before` of other payments.
fn stuck_rest(before: i64, left: i64) -> Error {
    let (least, whole) = (Money::from_paise(LEAST_ONLINE_PAISE), Money::from_paise(before + left));
    let of_it = left - LEAST_ONLINE_PAISE;
    let less = before + if of_it >= LEAST_ONLINE_PAISE { of_it } else { 0 };
    let works = if less > 0 {
        format!("Refund {whole}, or at most {}", Money::from_paise(less))
    } else {
        format!("Refund {whole}")
    };
    Error::field("amount", &format!("{works}: Razorpay gives nothing back below {least}, so the rest would be stuck."))
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

/// Empties the reasons of the refunds of a customer's bookings, which people wrote.
pub async fn forget(executor: impl PgExecutor<'_>, customer: CustomerId) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update refunds set reason = ''
        where reason <> '' and booking_id in (select id from bookings where customer_id = $1)
        ",
        customer.0
    )
    .execute(executor)
    .await
    .map(drop)
}

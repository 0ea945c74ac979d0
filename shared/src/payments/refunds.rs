//! Refunds: queued in the transaction of their cause, sent by a job, final when Razorpay says so.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use tracing::error;
use utoipa::ToSchema;

use super::{orders, states::RefundState};
use crate::{
    Error, Result,
    bookings::{Actor, Booking, booking, status::BookingStatus, timeline::Event},
    ids::{BookingId, CaptureId, RefundId},
    metrics::{self, Count},
    money::Money,
    outbox::Message,
    razorpay::{Refund, RefundStatus},
};

/// The least that Razorpay gives back.
const LEAST_ONLINE_PAISE: i64 = 100;

/// What can still be given back of a capture, in paise.
pub async fn left(connection: &mut PgConnection, capture: CaptureId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select amount_paise - refunded_paise as "left!" from captures where id = $1"#, capture.0)
        .fetch_one(connection)
        .await
}

/// Queues a refund for a locked booking, in the transaction of its cause. The database refuses more than was captured. Cash is
/// handed out at the counter: it counts as done.
pub async fn queue(
    connection: &mut PgConnection,
    booking: &Booking,
    capture: CaptureId,
    amount_paise: i64,
    reason: &str,
    actor: &Actor,
) -> Result<RefundId> {
    let queued = sqlx::query!(
        r#"
        with reserved as (
            update captures set refunded_paise = refunded_paise + $3, updated_at = now() where id = $2
            returning id, gateway_payment_id
        ), refund as (
            insert into refunds (capture_id, booking_id, amount_paise, idempotency_key, reason, actor)
            select id, $1, $3, $4, $5, $6 from reserved
            returning id
        )
        select refund.id, reserved.gateway_payment_id is null as "is_cash!",
            write_event($1, $8, $7, $7, $6, $5) as event,
            case when reserved.gateway_payment_id is not null then
                write_message($9, jsonb_build_object('refund_id', refund.id))
            end as message
        from refund, reserved
        "#,
        booking.id.0,
        capture.0,
        amount_paise,
        key()?,
        reason,
        actor.to_string(),
        booking.booking_status as BookingStatus,
        Event::RefundRequested as Event,
        Message::Refund as Message
    )
    .fetch_one(&mut *connection)
    .await?;
    let id = RefundId(queued.id);
    if queued.is_cash {
        finish(connection, booking, id, actor).await?;
    }
    Ok(id)
}

/// Money that was paid and has not gone back.
struct Left {
    capture: CaptureId,
    is_online: bool,
    paise: i64,
}

/// Queues what staff give back of a locked booking: `amount`, or all that is left. Money paid too much goes first.
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

/// How much goes back of which capture.
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

/// A locked booking has been cancelled: nothing more is asked for, and online money is queued for refund.
pub async fn give_back_all(connection: &mut PgConnection, booking: &Booking) -> Result<()> {
    orders::close(&mut *connection, booking.id).await?;
    let captures = sqlx::query!(
        r#"
        select id, amount_paise - refunded_paise as "left!" from captures
        where booking_id = $1 and state = 'captured' and gateway_payment_id is not null and refunded_paise < amount_paise
        "#,
        booking.id.0
    )
    .fetch_all(&mut *connection)
    .await?;
    for capture in captures {
        queue(connection, booking, CaptureId(capture.id), capture.left, "booking cancelled", &Actor::System).await?;
    }
    Ok(())
}

/// What recording Razorpay's account of a refund changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The payment is none of ours.
    Foreign,
    /// It was known.
    Nothing,
    /// It was news.
    News,
}

/// Applies what Razorpay says of a refund, also of one that somebody else asked for.
pub async fn record(connection: &mut PgConnection, refund: &Refund) -> Result<Told> {
    let capture = sqlx::query!("select id, booking_id from captures where gateway_payment_id = $1", refund.payment_id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(capture) = capture else { return Ok(Told::Foreign) };
    let booking = booking::lock(connection, BookingId(capture.booking_id)).await?;
    let is_taken =
        sqlx::query_scalar!(r#"select state = 'captured' as "is_taken!" from captures where id = $1"#, capture.id)
            .fetch_one(&mut *connection)
            .await?;
    if !is_taken {
        // Razorpay lets go what was only authorized, and calls that a refund too.
        return Ok(Told::Nothing);
    }
    let known = sqlx::query!(
        r#"
        select id, state as "state: RefundState", refund_id from refunds
        where refund_id = $1 or (idempotency_key = $2 and refund_id is null)
        order by refund_id nulls last limit 1
        "#,
        refund.id,
        refund.receipt
    )
    .fetch_optional(&mut *connection)
    .await?;
    let (id, state) = match known {
        // One that was given up here has not failed there: it may go on.
        Some(known) if known.state == RefundState::Failed && known.refund_id.is_none() => {
            (RefundId(known.id), RefundState::Queued)
        }
        Some(known) => (RefundId(known.id), known.state),
        None if refund.status == RefundStatus::Failed => return Ok(Told::Nothing),
        None => (write_foreign(connection, CaptureId(capture.id), &booking, refund).await?, RefundState::Queued),
    };
    match (state, refund.status) {
        (state, _) if state.is_final() => Ok(Told::Nothing),
        (_, RefundStatus::Processed) => {
            name(connection, id, refund).await?;
            finish(connection, &booking, id, &Actor::Razorpay).await?;
            Ok(Told::News)
        }
        (_, RefundStatus::Failed) => {
            name(connection, id, refund).await?;
            fail(connection, &booking, id).await?;
            Ok(Told::News)
        }
        (RefundState::Queued, RefundStatus::Pending | RefundStatus::Unknown) => {
            name(connection, id, refund).await?;
            Ok(Told::News)
        }
        _ => Ok(Told::Nothing),
    }
}

/// A refund that was asked for in Razorpay's dashboard, or that Razorpay made by itself.
async fn write_foreign(
    connection: &mut PgConnection,
    capture: CaptureId,
    booking: &Booking,
    refund: &Refund,
) -> sqlx::Result<RefundId> {
    let id = sqlx::query_scalar!(
        "
        insert into refunds (capture_id, booking_id, amount_paise, idempotency_key, refund_id, reason, actor)
        values ($1, $2, $3, $4, $4, 'not asked for here', 'razorpay')
        returning id
        ",
        capture.0,
        booking.id.0,
        refund.amount,
        refund.id
    )
    .fetch_one(connection)
    .await?;
    Ok(RefundId(id))
}

/// Razorpay knows the refund, by its own name.
async fn name(connection: &mut PgConnection, id: RefundId, refund: &Refund) -> sqlx::Result<()> {
    let capture = sqlx::query_scalar!(
        "update refunds set refund_id = $2, state = 'pending', updated_at = now() where id = $1 returning capture_id",
        id.0,
        refund.id
    )
    .fetch_one(&mut *connection)
    .await?;
    count(connection, CaptureId(capture)).await
}

/// Counts again what goes back of a capture. Somebody else may have given back what is queued here too: then one of the two
/// will be refused, and until then it is not more than there is.
async fn count(connection: &mut PgConnection, capture: CaptureId) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update captures set updated_at = now(), refunded_paise = least(amount_paise, (
            select coalesce(sum(refund.amount_paise), 0) from refunds refund
            where refund.capture_id = captures.id and refund.state <> 'failed'
        ))
        where id = $1
        ",
        capture.0
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The money is back. A booking whose money is all back is refunded.
async fn finish(connection: &mut PgConnection, booking: &Booking, id: RefundId, actor: &Actor) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update refunds set state = 'processed', updated_at = now() where id = $1
        returning write_event($2, $5, $3, $3, $4) as event,
            write_message($6, jsonb_build_object('booking_id', $2::bigint)) as message
        ",
        id.0,
        booking.id.0,
        booking.booking_status as BookingStatus,
        actor.to_string(),
        Event::Refunded as Event,
        Message::BookingRefunded as Message
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!(
        "
        update bookings set payment_status = 'refunded', version = version + 1, updated_at = now()
        from captures capture
        where bookings.id = $1 and bookings.payment_status = 'completed'
            and capture.booking_id = bookings.id and capture.pays_booking
            and capture.amount_paise <= (
                select coalesce(sum(refund.amount_paise), 0) from refunds refund
                where refund.capture_id = capture.id and refund.state = 'processed'
            )
        ",
        booking.id.0
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Razorpay refuses a refund that is queued. If that is because a part of the money was given back elsewhere meanwhile, the rest
/// of what must go back is queued instead.
pub async fn give_up(connection: &mut PgConnection, id: RefundId) -> Result<()> {
    let booking_id =
        sqlx::query_scalar!("select booking_id from refunds where id = $1", id.0).fetch_one(&mut *connection).await?;
    let booking = booking::lock(connection, BookingId(booking_id)).await?;
    let refund = sqlx::query!(
        r#"
        select refund.state as "state: RefundState", refund.amount_paise, refund.reason, capture.id as capture_id, capture.pays_booking
        from refunds refund join captures capture on capture.id = refund.capture_id
        where refund.id = $1
        "#,
        id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    if refund.state != RefundState::Queued {
        return Ok(());
    }
    fail(connection, &booking, id).await?;
    let capture = CaptureId(refund.capture_id);
    let left = left(connection, capture).await?;
    let must_go_back = !refund.pays_booking || booking.booking_status == BookingStatus::Cancelled;
    if must_go_back && 0 < left && left < refund.amount_paise {
        queue(connection, &booking, capture, left, &refund.reason, &Actor::System).await?;
    }
    Ok(())
}

/// The money did not go back: it can be asked for again, and a person must look.
async fn fail(connection: &mut PgConnection, booking: &Booking, id: RefundId) -> sqlx::Result<()> {
    error!(booking.id = booking.id.0, refund.id = id.0, "a refund has failed");
    metrics::count(Count::RefundsFailed);
    let failed = sqlx::query!(
        "
        update refunds set state = 'failed', updated_at = now() where id = $1
        returning capture_id, write_event($2, $4, $3, $3, 'razorpay') as event
        ",
        id.0,
        booking.id.0,
        booking.booking_status as BookingStatus,
        Event::RefundFailed as Event
    )
    .fetch_one(&mut *connection)
    .await?;
    count(connection, CaptureId(failed.capture_id)).await
}

/// A refund that Razorpay is to be asked for.
#[derive(Debug)]
pub struct Queued {
    pub idempotency_key: String,
    pub amount_paise: i64,
    pub gateway_payment_id: String,
    pub state: RefundState,
}

pub async fn find(executor: impl PgExecutor<'_>, id: RefundId) -> sqlx::Result<Queued> {
    sqlx::query_as!(
        Queued,
        r#"
        select refund.idempotency_key, refund.amount_paise, refund.state as "state: RefundState",
            capture.gateway_payment_id as "gateway_payment_id!"
        from refunds refund join captures capture on capture.id = refund.capture_id
        where refund.id = $1
        "#,
        id.0
    )
    .fetch_one(executor)
    .await
}

/// Claims a refund that Razorpay is working on; the payment to ask for. The longer it has been on its way, the longer it waits:
/// a tenth of its age, at least ten minutes.
pub async fn claim_pending(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        update refunds set updated_at = now()
        from captures capture
        where capture.id = refunds.capture_id and refunds.id = (
            select id from refunds
            where state = 'pending'
                and updated_at < now() - greatest((now() - created_at) / 10, interval '10 minutes')
            order by updated_at limit 1 for update skip locked
        )
        returning capture.gateway_payment_id as "payment_id!"
        "#
    )
    .fetch_optional(executor)
    .await
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

/// A key that Razorpay knows a refund by: letters, digits, hyphens, at most 40.
fn key() -> Result<String> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(format!("refund-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

//! Money that goes back: queued with its cause, sent by a job, final when Razorpay says so.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::PgConnection;
use tracing::error;

use crate::{
    Error, Result,
    bookings::{
        change::{self, Actor},
        detail::Stored,
        status::BookingStatus,
    },
    metrics::{self, Count},
    razorpay::{Refund, RefundStatus},
};

/// What can still be given back of a capture, in paise.
pub async fn left(connection: &mut PgConnection, capture: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select amount_paise - refunded_paise as "left!" from captures where id = $1"#, capture)
        .fetch_one(connection)
        .await
}

/// Queues a refund for a locked booking, in the transaction of its cause; answers its id. The database refuses more than
/// was captured. Cash is given back by hand: it counts as done.
pub async fn queue(
    connection: &mut PgConnection,
    booking: &Stored,
    capture: i64,
    amount_paise: i64,
    reason: &str,
    actor: &Actor,
) -> Result<i64> {
    let queued = sqlx::query!(
        r#"
        with reserved as (
            update captures set refunded_paise = refunded_paise + $3, updated_at = now() where id = $2
            returning id, gateway_payment_id
        ), refund as (
            insert into refunds (capture_id, booking_id, amount_paise, idempotency_key, reason, actor)
            select id, $1, $3, $4, $5, $6 from reserved
            returning id
        ), event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor, reason)
            values ($1, 'refund_requested', $7, $7, $6, $5)
        ), message as (
            insert into outbox (kind, payload)
            select 'refund', jsonb_build_object('refund_id', refund.id) from refund, reserved
            where reserved.gateway_payment_id is not null
        )
        select refund.id, reserved.gateway_payment_id is null as "is_cash!" from refund, reserved
        "#,
        booking.id,
        capture,
        amount_paise,
        key()?,
        reason,
        actor.to_string(),
        booking.booking_status as BookingStatus
    )
    .fetch_one(&mut *connection)
    .await?;
    if queued.is_cash {
        finish(connection, booking, queued.id, actor).await?;
    }
    Ok(queued.id)
}

/// What came of what Razorpay says of a refund.
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
    let booking = change::lock(connection, capture.booking_id).await?;
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
        select id, state::text as "state!", refund_id from refunds
        where refund_id = $1 or (idempotency_key = $2 and refund_id is null)
        order by refund_id nulls last limit 1
        "#,
        refund.id,
        refund.receipt
    )
    .fetch_optional(&mut *connection)
    .await?;
    let (id, state) = match known {
        // One that was given up here has not failed there: whatever comes of it is news.
        Some(known) if known.state == "failed" && known.refund_id.is_none() => (known.id, "queued".to_owned()),
        Some(known) => (known.id, known.state),
        None if refund.status == RefundStatus::Failed => return Ok(Told::Nothing),
        None => (write_foreign(connection, capture.id, &booking, refund).await?, "queued".to_owned()),
    };
    match (state.as_str(), refund.status) {
        ("processed" | "failed", _) => Ok(Told::Nothing),
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
        ("queued", RefundStatus::Pending | RefundStatus::Unknown) => {
            name(connection, id, refund).await?;
            Ok(Told::News)
        }
        _ => Ok(Told::Nothing),
    }
}

/// A refund that was asked for in Razorpay's dashboard, or that Razorpay made by itself.
async fn write_foreign(
    connection: &mut PgConnection,
    capture: i64,
    booking: &Stored,
    refund: &Refund,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "
        insert into refunds (capture_id, booking_id, amount_paise, idempotency_key, refund_id, reason, actor)
        values ($1, $2, $3, $4, $4, 'not asked for here', 'razorpay')
        returning id
        ",
        capture,
        booking.id,
        refund.amount,
        refund.id
    )
    .fetch_one(connection)
    .await
}

/// Razorpay knows the refund, by its own name.
async fn name(connection: &mut PgConnection, id: i64, refund: &Refund) -> sqlx::Result<()> {
    let capture = sqlx::query_scalar!(
        "update refunds set refund_id = $2, state = 'pending', updated_at = now() where id = $1 returning capture_id",
        id,
        refund.id
    )
    .fetch_one(&mut *connection)
    .await?;
    count(connection, capture).await
}

/// Counts again what goes back of a capture. Somebody else may have given back what is queued here too: then one of the two
/// will be refused, and until then it is not more than there is.
async fn count(connection: &mut PgConnection, capture: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update captures set updated_at = now(), refunded_paise = least(amount_paise, (
            select coalesce(sum(refund.amount_paise), 0) from refunds refund
            where refund.capture_id = captures.id and refund.state <> 'failed'
        ))
        where id = $1
        ",
        capture
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The money is back. A booking whose money is all back is refunded.
async fn finish(connection: &mut PgConnection, booking: &Stored, id: i64, actor: &Actor) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor)
            values ($2, 'refunded', $3, $3, $4)
        ), message as (
            insert into outbox (kind, payload) values ('booking_refunded', jsonb_build_object('booking_id', $2::bigint))
        )
        update refunds set state = 'processed', updated_at = now() where id = $1
        ",
        id,
        booking.id,
        booking.booking_status as BookingStatus,
        actor.to_string()
    )
    .execute(&mut *connection)
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
        booking.id
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Razorpay will not do a refund that is queued. If that is because somebody gave back a part of the money meanwhile, the
/// rest of what must go back is queued instead.
pub async fn give_up(connection: &mut PgConnection, id: i64) -> Result<()> {
    let booking_id =
        sqlx::query_scalar!("select booking_id from refunds where id = $1", id).fetch_one(&mut *connection).await?;
    let booking = change::lock(connection, booking_id).await?;
    let refund = sqlx::query!(
        r#"
        select refund.state::text as "state!", refund.amount_paise, refund.reason, capture.id as capture_id, capture.pays_booking
        from refunds refund join captures capture on capture.id = refund.capture_id
        where refund.id = $1
        "#,
        id
    )
    .fetch_one(&mut *connection)
    .await?;
    if refund.state != "queued" {
        return Ok(());
    }
    fail(connection, &booking, id).await?;
    let left = left(connection, refund.capture_id).await?;
    let must_go_back = !refund.pays_booking || booking.booking_status == BookingStatus::Cancelled;
    if must_go_back && 0 < left && left < refund.amount_paise {
        queue(connection, &booking, refund.capture_id, left, &refund.reason, &Actor::System).await?;
    }
    Ok(())
}

/// The money did not go back: it can be asked for again, and somebody must look.
async fn fail(connection: &mut PgConnection, booking: &Stored, id: i64) -> sqlx::Result<()> {
    error!(booking.id, refund.id = id, "a refund has failed");
    metrics::count(Count::RefundsFailed);
    let capture = sqlx::query_scalar!(
        "
        with event as (
            insert into booking_events (booking_id, event, from_status, to_status, actor)
            values ($2, 'refund_failed', $3, $3, 'razorpay')
        )
        update refunds set state = 'failed', updated_at = now() where id = $1 returning capture_id
        ",
        id,
        booking.id,
        booking.booking_status as BookingStatus
    )
    .fetch_one(&mut *connection)
    .await?;
    count(connection, capture).await
}

/// A key that Razorpay knows a refund by: letters, digits, hyphens, at most 40.
fn key() -> Result<String> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(format!("refund-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

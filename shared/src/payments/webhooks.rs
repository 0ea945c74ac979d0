//! Razorpay's webhook events: each is applied once.

use sqlx::{PgConnection, PgExecutor};

use super::unmatched::{self, Unmatched};
use crate::{
    Result,
    ids::{BookingId, PaymentId},
    razorpay::{Event, Payment, Refund},
};

/// Records an event, in the transaction that applies it; `false` if it was recorded before.
pub async fn receive(connection: &mut PgConnection, event_id: &str, event: &Event) -> sqlx::Result<bool> {
    let payment = event.payload.payment.as_ref();
    let received = sqlx::query!(
        "
        insert into payment_events (event_id, event, order_id, gateway_payment_id) values ($1, $2, $3, $4)
        on conflict (event_id) do nothing
        ",
        event_id,
        event.event,
        payment.and_then(|payment| payment.order_id.as_deref()),
        payment.map(|payment| &payment.id)
    )
    .execute(connection)
    .await?;
    Ok(received.rows_affected() == 1)
}

/// What is known here of what an event tells.
#[derive(Debug)]
pub struct Known {
    /// The order, if it is ours.
    pub payment_id: Option<PaymentId>,
    pub booking_id: Option<BookingId>,
    pub order_id: Option<String>,
    /// Whether the payment is known to be captured, with this amount and currency.
    pub has_capture: bool,
    /// Whether the refund is known in this state or a later one.
    pub has_refund: bool,
}

/// Looks up a payment and a refund by the ids that Razorpay gave them; all is `None` for those of another shop.
pub async fn look_up(
    executor: impl PgExecutor<'_>,
    payment: Option<&Payment>,
    refund: Option<&Refund>,
) -> sqlx::Result<Known> {
    sqlx::query_as!(
        Known,
        r#"
        select own.id as "payment_id?: PaymentId", own.booking_id as "booking_id?: BookingId", own.order_id as "order_id?",
            exists (
                select from captures
                where gateway_payment_id = $2 and state = 'captured' and amount_paise = $3 and currency = $4
            ) as "has_capture!",
            exists (
                select from refunds
                where refund_id = $5 and amount_paise = $6 and (state in ('processed', 'failed') or state::text = $7)
            ) as "has_refund!"
        from (values (1)) as one
        left join payments own on own.id = coalesce(
            (select id from payments where order_id = $1), (select payment_id from captures where gateway_payment_id = $2)
        )
        "#,
        payment.and_then(|payment| payment.order_id.as_deref()),
        payment.map(|payment| payment.id.as_str()).or(refund.map(|refund| refund.payment_id.as_str())),
        payment.map(|payment| payment.amount),
        payment.map(|payment| payment.currency.as_str()),
        refund.map(|refund| refund.id.as_str()),
        refund.map(|refund| refund.amount),
        refund.map(|refund| refund.status.as_str())
    )
    .fetch_one(executor)
    .await
}

/// Writes down what a webhook told and Razorpay does not confirm, or what cannot be true.
pub async fn doubt(
    connection: &mut PgConnection,
    event_id: &str,
    event: &Event,
    known: &Known,
    reason: &str,
) -> Result<()> {
    let payment = event.payload.payment.as_ref();
    let told = Unmatched {
        entity_id: event_id,
        kind: "webhook",
        booking: known.booking_id,
        order_id: known.order_id.as_deref(),
        payment_id: payment.map(|payment| payment.id.as_str()),
        amount_paise: payment.map(|payment| payment.amount).unwrap_or_default(),
        currency: payment.map_or("INR", |payment| payment.currency.as_str()),
        reason,
    };
    unmatched::write(connection, told).await.map(drop)
}

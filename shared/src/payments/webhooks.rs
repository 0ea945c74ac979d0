//! Razorpay's webhook events: each is applied once.

use sqlx::PgConnection;

use crate::razorpay::{Event, Payment};

/// Records an event, in the transaction that applies it; `false` if it was recorded before.
pub async fn receive(connection: &mut PgConnection, event_id: &str, event: &Event) -> sqlx::Result<bool> {
    let payment: Option<&Payment> = event.payload.payment.as_ref().map(|wrapped| &wrapped.entity);
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

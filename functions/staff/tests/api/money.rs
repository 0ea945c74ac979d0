//! Cash payments and refunds.

mod cash;
mod refunding;
mod rests;

use serde_json::{Value, json};
use shared::{database::Database, payments::refunds, razorpay::Refund};
use sqlx::PgPool;
use testing::Client;

use super::path_of;

async fn record_cash(client: &Client, id: i64, body: &Value) -> (u16, Value) {
    let answer = client.post(&format!("{}record-cash/", path_of(id)), body).await;
    (answer.status, answer.body)
}

async fn refund(client: &Client, id: i64, body: &Value) -> (u16, Value) {
    let answer = client.post(&format!("{}refund/", path_of(id)), body).await;
    (answer.status, answer.body)
}

/// The answer that reports this fault under `amount`.
fn fault(sentence: &str) -> (u16, Value) {
    let message = format!("Amount: {sentence}");
    let body = json!({
        "error": true, "message": message, "status_code": 400, "code": "VALIDATION_ERROR",
        "details": { "amount": [sentence] }, "detail": message
    });
    (400, body)
}

/// Amount and state of every refund, and the number of refund messages in the outbox.
async fn refunds(pool: &PgPool) -> Value {
    sqlx::query_scalar(
        "select json_build_array(
            (select coalesce(json_agg(json_build_array(amount_paise, state) order by id), '[]') from refunds),
            (select count(*) from outbox where kind = 'refund'))",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Records every queued refund as processed by Razorpay.
pub(super) async fn refunds_are_done(pool: &PgPool) {
    let queued: Vec<(String, i64, String)> = sqlx::query_as(
        "select idempotency_key, refunds.amount_paise, gateway_payment_id from refunds
        join captures on captures.id = capture_id where refunds.state = 'queued' order by refunds.id",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    for (receipt, amount, payment_id) in queued {
        let refund: Refund = serde_json::from_value(json!({
            "id": format!("rfnd_{receipt}"), "payment_id": payment_id, "amount": amount, "currency": "INR",
            "status": "processed", "receipt": receipt
        }))
        .unwrap();
        let mut transaction = Database::from(pool.clone()).begin().await.unwrap();
        refunds::record(&mut transaction, &refund).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

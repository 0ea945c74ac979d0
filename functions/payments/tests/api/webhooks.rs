//! Webhooks: signed, repeated, in any order, and while the database fails.

use std::time::{Duration, Instant};

use futures::future::join_all;
use razorpay_stand_in::Outcome;
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    razorpay::Razorpay,
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use testing::Client;

use crate::{WEBHOOK, World, deliver, function, gateway};

#[sqlx::test(migrator = "MIGRATOR")]
async fn webhooks_alone_settle_a_payment_concurrently_in_any_order(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhooks = world.razorpay.webhooks();
    assert_eq!(webhooks.len(), 3);
    let clients: Vec<Client> =
        (0..30).map(|_| function(Database::new(options.clone()), gateway(&world.razorpay))).collect();
    for webhook in webhooks.iter().rev() {
        for answer in join_all(clients.iter().map(|client| deliver(client, webhook))).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75010, 0, ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_webhook_counts_only_with_a_valid_signature(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhook = world.razorpay.webhooks().into_iter().find(|webhook| webhook.event == "payment.captured").unwrap();
    let respaced = webhook.body.replacen(',', ", ", 1);
    let signature = webhook.header("X-Razorpay-Signature").unwrap().to_owned();
    let counts = testing::Counts::start();
    for (body, signature) in
        [(respaced.as_str(), signature.as_str()), (webhook.body.as_str(), ""), (&webhook.body, "00")]
    {
        let answer = world.client.with("X-Razorpay-Signature", signature).send("POST", WEBHOOK, Some(body)).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INVALID_SIGNATURE")));
    }
    assert_eq!(counts.of(shared::metrics::Count::WebhooksRefused), 3, "what raises the alarm");
    let before = razorpay_stand_in::sign("before", respaced.as_bytes());
    let rotated = world.client.with("X-Razorpay-Signature", &before).send("POST", WEBHOOK, Some(&respaced)).await;
    assert_eq!(rotated.status, 200, "signed with the secret before");
    assert_eq!(world.facts().await[0], "completed");
    for other in [r#"{"event":"payment.downtime.started","payload":{"payment.downtime":{}}}"#, "[]", "nothing"] {
        let signature = razorpay_stand_in::sign(razorpay_stand_in::WEBHOOK_SECRET, other.as_bytes());
        let answer = world.client.with("X-Razorpay-Signature", &signature).send("POST", WEBHOOK, Some(other)).await;
        assert_eq!(answer.status, 200, "{other}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failed_webhook_applies_nothing_and_can_be_delivered_again(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhook = world.razorpay.webhooks().into_iter().find(|webhook| webhook.event == "order.paid").unwrap();
    sqlx::raw_sql("alter table outbox rename to outbox_away").execute(&world.pool).await.unwrap();
    let counts = testing::Counts::start();
    assert_eq!(world.deliver(&webhook).await.status, 500);
    assert_eq!(counts.of(shared::metrics::Count::WebhooksFailed), 1, "what raises the alarm");
    sqlx::raw_sql("alter table outbox_away rename to outbox").execute(&world.pool).await.unwrap();
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
    assert_eq!(world.deliver(&webhook).await.status, 200);
    assert_eq!(world.facts().await[0], "completed");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_webhook_that_waits_for_a_lock_gets_a_timely_503_and_can_be_retried(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhook = world.razorpay.webhooks().into_iter().find(|webhook| webhook.event == "payment.captured").unwrap();
    let mut other = world.pool.begin().await.unwrap();
    sqlx::query("select from bookings where id = 1 for update").execute(&mut *other).await.unwrap();
    let begun = Instant::now();
    let answer = world.deliver(&webhook).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("SERVICE_UNAVAILABLE")));
    assert!(begun.elapsed() < Duration::from_secs(5), "Razorpay does not wait longer");
    other.rollback().await.unwrap();
    let events: i64 = sqlx::query_scalar("select count(*) from payment_events").fetch_one(&world.pool).await.unwrap();
    assert_eq!((events, world.facts().await), (0, json!(["pending", "cash", 0, 0, []])));
    assert_eq!(world.deliver(&webhook).await.status, 200);
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75010, 0, ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn webhooks_for_an_order_of_another_shop_are_ignored(pool: PgPool) {
    let world = World::new(pool).await;
    let razorpay =
        Razorpay::new(&world.razorpay.url(), razorpay_stand_in::KEY_ID, razorpay_stand_in::KEY_SECRET).unwrap();
    let order = razorpay.create_order(75010, "INR", "elsewhere").await.unwrap();
    let checkout = world.razorpay.checkout(&order.id, Outcome::Captured);
    world.refund_in_dashboard(&checkout.payment_id, 75010).await;
    world.deliver_all(world.razorpay.webhooks()).await;
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
    assert_eq!(world.verify(&checkout).await.status, 404);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_of_another_amount_or_currency_pays_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let order_id = world.order().await;
    let attempt = razorpay_stand_in::Attempt { order_id, second: true, ..razorpay_stand_in::Attempt::default() };
    for wrong in [
        razorpay_stand_in::Attempt { amount: Some(100), ..attempt.clone() },
        razorpay_stand_in::Attempt { currency: Some("USD".to_owned()), ..attempt.clone() },
    ] {
        world.razorpay.pay(&wrong).unwrap();
    }
    let counts = testing::Counts::start();
    world.deliver_all(world.razorpay.webhooks()).await;
    // Each of the two is told as authorized and as captured.
    assert_eq!(counts.of(shared::metrics::Count::PaymentMismatches), 4, "what raises the alarm");
    let events = json!(["payment_mismatch", "payment_mismatch"]);
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, events]));
    let rows: Value = sqlx::query_scalar(
        "select json_agg(json_build_array(amount_paise, currency, fits) order by currency) from captures",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(rows, json!([[100, "INR", false], [75010, "USD", false]]));
}

//! Orders: at most one open order per booking.

use std::time::Duration;

use futures::future::join_all;
use payments::Gateway;
use razorpay_stand_in::{Fault, Outcome};
use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use testing::Client;

use crate::{CREATE, VERIFY, World, function, gateway};

#[sqlx::test(migrator = "MIGRATOR")]
async fn while_payments_are_disabled_nothing_can_be_paid_online(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let client = function(Database::from(pool), Gateway::disabled());
    let checkout = json!({ "razorpay_order_id": "o", "razorpay_payment_id": "p", "razorpay_signature": "s" });
    for (path, body) in
        [(CREATE, json!({ "booking_id": 1 })), (CREATE, json!({})), (VERIFY, checkout), (VERIFY, json!([]))]
    {
        let answer = client.post(path, &body).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("PAYMENTS_DISABLED")));
        assert_eq!(answer.body["message"], "Razorpay payment is currently disabled. Please use cash payment.");
    }
    assert!(world.razorpay.orders().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn repeated_and_concurrent_requests_share_one_open_order(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let body = json!({ "booking_id": "1" });
    let first = world.client.post(CREATE, &body).await;
    let order_id = world.razorpay.orders()[0]["id"].clone();
    assert_eq!(
        (first.status, first.body),
        (
            201,
            json!({
                "error": false, "message": "Payment order created successfully",
                "data": {
                    "order_id": order_id, "amount": 750.10, "amount_paise": 75010, "currency": "INR",
                    "key_id": razorpay_stand_in::KEY_ID
                }
            })
        )
    );
    let clients: Vec<Client> =
        (0..10).map(|_| function(Database::new(options.clone()), gateway(&world.razorpay))).collect();
    for answer in join_all(clients.iter().map(|client| client.post(CREATE, &body))).await {
        assert_eq!((answer.status, &answer.body["data"]["order_id"]), (200, &order_id));
    }
    world.book().await;
    let of_two = json!({ "booking_id": 2 });
    let answers = join_all(clients.iter().map(|client| client.post(CREATE, &of_two))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((made, world.razorpay.orders().len()), (1, 2));
    assert_eq!(world.client.post(CREATE, &json!({ "booking_id": 99 })).await.status, 404);
    assert_eq!(
        world.client.post(CREATE, &json!({})).await.body["details"],
        json!({ "booking_id": ["This field is required."] })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_whose_answer_was_lost_is_found_by_its_receipt(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.spoil("/v1/orders", Fault::lost().method("POST"));
    let answer = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((answer.status, world.razorpay.orders().len()), (201, 1), "{}", answer.text);
    // Also by the next request, if the function dies before it stores the order id.
    sqlx::query("update payments set order_id = null").execute(&world.pool).await.unwrap();
    let again = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!(again.body["data"]["order_id"], answer.body["data"]["order_id"]);
    assert_eq!(world.razorpay.orders().len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failure_of_razorpay_is_reported_and_no_payment_is_lost(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.spoil("/v1/orders", Fault::delay(Duration::from_secs(6)).method("POST"));
    let late = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((late.status, &late.body["code"]), (504, &json!("UPSTREAM_TIMEOUT")));
    world.razorpay.spoil("/v1/orders", Fault::delay(Duration::from_secs(6)).times(10));
    let later = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((later.status, &later.body["code"]), (504, &json!("UPSTREAM_TIMEOUT")), "whatever it does not answer");
    world.razorpay.clear_faults();
    world.razorpay.spoil("/v1/orders", Fault::server_error().times(10));
    let broken = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((broken.status, &broken.body["code"]), (502, &json!("UPSTREAM_ERROR")));
    world.razorpay.clear_faults();
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.razorpay.spoil(&format!("/v1/payments/{}", checkout.payment_id), Fault::rate_limited());
    assert_eq!(world.verify(&checkout).await.status, 429);
    assert_eq!(world.verify(&checkout).await.status, 200);
    assert_eq!(world.facts().await[0], "completed");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_order_is_made_for_a_booking_cancelled_during_the_request(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let body = json!({ "booking_id": 1 });
    world.razorpay.spoil("/v1/orders", Fault::status(400));
    assert_eq!(world.client.post(CREATE, &body).await.status, 502, "what is wanted is noted");
    let mut cancelling = pool.begin().await.unwrap();
    sqlx::query("update payments set state = 'closed'").execute(&mut *cancelling).await.unwrap();
    let asked = async { world.client.post(CREATE, &body).await };
    let cancelled = async {
        testing::a_lock_is_waited_for(&pool).await;
        cancelling.commit().await.unwrap();
    };
    let (answer, ()) = futures::join!(asked, cancelled);
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("BOOKING_CANCELLED")));
    assert!(world.razorpay.orders().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_is_made_once_even_if_the_function_is_killed_before_the_answer(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.spoil("/v1/orders", Fault::delay(Duration::from_secs(4)).after().method("POST"));
    let made = async {
        while world.razorpay.orders().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let body = json!({ "booking_id": 1 });
    tokio::select! {
        answer = world.client.post(CREATE, &body) => panic!("answered: {}", answer.text),
        () = made => {}
    }
    let known: Option<String> =
        sqlx::query_scalar("select order_id from payments").fetch_one(&world.pool).await.unwrap();
    assert_eq!(known, None);
    assert_eq!(world.order().await, world.razorpay.orders()[0]["id"]);
    assert_eq!(world.razorpay.orders().len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_old_order_that_is_returned_again_is_reconciled_again(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    sqlx::query("update payments set created_at = created_at - interval '10 days', updated_at = updated_at - interval '10 days'")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.order().await, order);
    let is_fresh: bool = sqlx::query_scalar("select updated_at > now() - interval '1 minute' from payments")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert!(is_fresh);
}

//! While Razorpay is slow nothing waits for it but the request that asks.

use std::time::{Duration, Instant};

use futures::future::join_all;
use razorpay_stand_in::Fault;
use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use testing::Client;

use crate::{CREATE, World, function, gateway};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_is_cancelled_at_once_while_its_order_is_made(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.spoil("/v1/orders", Fault::delay(Duration::from_secs(4)).method("POST"));
    let body = json!({ "booking_id": 1 });
    let asking = world.client.post(CREATE, &body);
    let cancelling = async {
        while world.razorpay.calls("/v1/orders") == 0 {
            tokio::task::yield_now().await;
        }
        let begun = Instant::now();
        world.cancel().await;
        begun.elapsed()
    };
    let (answer, waited) = futures::join!(asking, cancelling);
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("BOOKING_CANCELLED")));
    let order: (Option<String>, String) =
        sqlx::query_as("select order_id, state::text from payments").fetch_one(&world.pool).await.unwrap();
    let made = world.razorpay.orders()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(order, (Some(made), "closed".to_owned()), "what Razorpay made is known, and asked for");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn taps_while_an_order_is_made_wait_for_it_without_a_connection(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    world.razorpay.spoil("/v1/orders", Fault::delay(Duration::from_secs(1)).method("POST"));
    let body = json!({ "booking_id": 1 });
    let clients: Vec<Client> =
        (0..8).map(|_| function(Database::new(options.clone()), gateway(&world.razorpay))).collect();
    let answers = join_all(clients.iter().map(|client| client.post(CREATE, &body))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    assert_eq!(world.razorpay.orders().len(), 1);
    let open: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(open, 0);
}

//! `RAZORPAY_ENABLED=false` with keys: no new orders, and all else goes on.

use payments::Gateway;
use razorpay_stand_in::Outcome;
use serde_json::json;
use shared::{
    config::{self, Pace, Settings},
    database::{Database, MIGRATOR},
};
use sqlx::PgPool;

use crate::{CREATE, VERIFY, WEBHOOK, World, deliver, function, gateway};

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_new_orders_payments_of_before_are_still_verified_and_told(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    world.book().await;
    let first = world.order().await;
    let second = world.client.post(CREATE, &json!({ "booking_id": 2 })).await.body["data"]["order_id"].clone();
    let off = gateway(&world.razorpay).without_new_orders();
    let world = World { client: function(Database::from(pool), off), ..world };
    let refused = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!("PAYMENTS_DISABLED")));
    let checkout = world.razorpay.checkout(&first, Outcome::Captured);
    assert_eq!(world.verify(&checkout).await.status, 200);
    assert_eq!(world.facts().await[0], "completed");
    world.razorpay.checkout(second.as_str().unwrap(), Outcome::Captured);
    world.deliver_all(world.razorpay.webhooks()).await;
    let paid: i64 = sqlx::query_scalar("select count(*) from bookings where payment_status = 'completed'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(paid, 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unread_secret_is_not_the_same_as_no_keys(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let body = json!({ "razorpay_order_id": "o", "razorpay_payment_id": "p", "razorpay_signature": "s" });
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhook = world.razorpay.webhooks().remove(0);
    let none = Gateway::from_settings(&Settings::default()).unwrap();
    let client = function(Database::from(pool.clone()), none);
    assert_eq!(client.post(VERIFY, &body).await.body["code"], "PAYMENTS_DISABLED");
    assert_eq!(deliver(&client, &webhook).await.body["code"], "PAYMENTS_DISABLED");
    let unread = Settings::of(&[(config::SECRET_ID, "unread")], None, Pace::default());
    let client = function(Database::from(pool), Gateway::from_settings(&unread).unwrap());
    for answer in [client.post(VERIFY, &body).await, client.send("POST", WEBHOOK, Some("{}")).await] {
        assert_eq!((answer.status, &answer.body["code"]), (503, &json!("SERVICE_UNAVAILABLE")));
    }
}

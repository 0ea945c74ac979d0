//! Payments that arrive late, twice, or for a cancelled booking.

use razorpay_stand_in::Outcome;
use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use crate::{CREATE, World};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_that_failed_may_still_succeed(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let failed = world.razorpay.checkout(&order, Outcome::Failed);
    for webhook in world.razorpay.webhooks() {
        world.deliver(&webhook).await;
    }
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
    assert_eq!(world.order().await, order, "the order is open");
    world.razorpay.move_payment(&failed.payment_id, Outcome::Captured).unwrap();
    for webhook in world.razorpay.webhooks() {
        assert_eq!(world.deliver(&webhook).await.status, 200);
    }
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75010, 0, ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_for_a_cancelled_booking_is_queued_for_refund(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.cancel().await;
    let cancelled = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((cancelled.status, &cancelled.body["code"]), (409, &json!("BOOKING_CANCELLED")));
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    assert_eq!(world.verify(&checkout).await.status, 200);
    for webhook in world.razorpay.webhooks() {
        world.deliver(&webhook).await;
    }
    let expected = json!(["completed", "razorpay", 75010, 75010, ["cancelled", "paid", "refund_requested"]]);
    assert_eq!(world.facts().await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn cancelling_a_booking_queues_a_refund_of_its_online_payment(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.verify(&world.razorpay.checkout(&order, Outcome::Captured)).await;
    world.cancel().await;
    let expected = json!(["completed", "razorpay", 75010, 75010, ["paid", "cancelled", "refund_requested"]]);
    assert_eq!(world.facts().await, expected);
    let queued: i64 =
        sqlx::query_scalar("select count(*) from outbox where kind = 'refund'").fetch_one(&world.pool).await.unwrap();
    assert_eq!(queued, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_second_payment_of_a_paid_booking_is_queued_for_refund(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.verify(&world.razorpay.checkout(&order, Outcome::Captured)).await;
    let second = razorpay_stand_in::Attempt { order_id: order, second: true, ..razorpay_stand_in::Attempt::default() };
    let second =
        world.razorpay.pay(&razorpay_stand_in::Attempt { outcome: Some(Outcome::Captured), ..second }).unwrap();
    for _ in 0..2 {
        assert_eq!(world.verify(&second).await.status, 200);
    }
    let expected = json!(["completed", "razorpay", 75010, 75010, ["paid", "refund_requested"]]);
    assert_eq!(world.facts().await, expected);
}

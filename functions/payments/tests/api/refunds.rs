//! Refunds that Razorpay reports, requested here or in its dashboard.

use std::time::Duration;

use razorpay_stand_in::{Outcome, RefundOutcome, Webhook};
use serde_json::{Value, json};
use shared::ids::{BookingId, CaptureId, RefundId};
use shared::payments::refunds;
use shared::{
    bookings::{Actor, booking},
    database::{Database, MIGRATOR},
    razorpay::Razorpay,
};
use sqlx::PgPool;

use crate::World;

impl World {
    /// A world whose booking is paid, and the payment's id.
    async fn paid(pool: PgPool) -> (Self, String) {
        let world = Self::new(pool).await;
        let order = world.order().await;
        let checkout = world.razorpay.checkout(&order, Outcome::Captured);
        assert_eq!(world.verify(&checkout).await.status, 200);
        (world, checkout.payment_id)
    }

    /// Queues a refund here and requests it at Razorpay, whose answer is lost.
    async fn asked_for(&self, payment_id: &str, amount: i64) {
        let mut transaction = Database::from(self.pool.clone()).begin().await.unwrap();
        let booking = booking::lock(&mut transaction, BookingId(1)).await.unwrap();
        refunds::queue(&mut transaction, &booking, CaptureId(1), amount, "asked for", &Actor::System).await.unwrap();
        transaction.commit().await.unwrap();
        let key: String = sqlx::query_scalar("select idempotency_key from refunds order by id desc limit 1")
            .fetch_one(&self.pool)
            .await
            .unwrap();
        let razorpay =
            Razorpay::new(&self.razorpay.url(), razorpay_stand_in::KEY_ID, razorpay_stand_in::KEY_SECRET).unwrap();
        razorpay.refund(payment_id, amount, &key).await.unwrap();
    }

    /// Payment status, the refunded amount of the first payment, the refunds by state and amount, and the timeline.
    async fn returns(&self) -> Value {
        sqlx::query_scalar(
            "select json_build_array(payment_status, (select refunded_paise from captures order by id limit 1),
                (select coalesce(json_agg(json_build_array(state, amount_paise) order by id), '[]') from refunds),
                (select coalesce(json_agg(event order by id), '[]') from booking_events where booking_id = bookings.id))
            from bookings where id = 1",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    fn refund_webhooks(&self) -> Vec<Webhook> {
        self.razorpay.webhooks().into_iter().filter(|webhook| webhook.event.starts_with("refund.")).collect()
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_dashboard_refund_counts_for_any_order_of_its_webhooks(pool: PgPool) {
    let (world, payment) = World::paid(pool).await;
    world.refund_in_dashboard(&payment, 30000).await;
    world.deliver_all(world.refund_webhooks().into_iter().rev()).await;
    let part = json!(["completed", 30000, [["processed", 30000]], ["paid", "refunded"]]);
    assert_eq!(world.returns().await, part);
    world.razorpay.forget_keys();
    world.refund_in_dashboard(&payment, 45010).await;
    world.deliver_all(world.refund_webhooks()).await;
    let whole =
        json!(["refunded", 75010, [["processed", 30000], ["processed", 45010]], ["paid", "refunded", "refunded"]]);
    assert_eq!(world.returns().await, whole);
    world.deliver_all(world.razorpay.webhooks().into_iter().rev()).await;
    assert_eq!(world.returns().await, whole, "told again");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_reported_before_its_payment_is_not_lost(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.refund_in_dashboard(&checkout.payment_id, 75010).await;
    world.deliver_all(world.razorpay.webhooks().into_iter().rev()).await;
    let expected = json!(["refunded", 75010, [["processed", 75010]], ["paid", "refunded"]]);
    assert_eq!(world.returns().await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_refunded_before_its_verification_leaves_the_booking_refunded(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.refund_in_dashboard(&checkout.payment_id, 75010).await;
    for _ in 0..2 {
        let answer = world.verify(&checkout).await;
        assert_eq!(answer.body["data"], json!({ "booking_id": 1, "payment_status": "refunded" }));
    }
    let expected = json!(["refunded", 75010, [["processed", 75010]], ["paid", "refunded"]]);
    assert_eq!(world.returns().await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn only_the_rest_of_a_payment_for_a_cancelled_booking_is_refunded(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.cancel().await;
    world.refund_in_dashboard(&checkout.payment_id, 30000).await;
    assert_eq!(world.verify(&checkout).await.status, 200);
    let expected = json!([
        "completed",
        75010,
        [["processed", 30000], ["queued", 45010]],
        ["cancelled", "paid", "refunded", "refund_requested"]
    ]);
    assert_eq!(world.returns().await, expected);
    world.deliver_all(world.razorpay.webhooks()).await;
    assert_eq!(world.returns().await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_release_of_an_uncaptured_payment_is_not_a_refund(pool: PgPool) {
    let (world, _) = World::paid(pool).await;
    let before = world.returns().await;
    let second = razorpay_stand_in::Attempt {
        order_id: world.razorpay.orders()[0]["id"].as_str().unwrap().to_owned(),
        second: true,
        outcome: Some(Outcome::Authorized),
        ..razorpay_stand_in::Attempt::default()
    };
    world.razorpay.pay(&second).unwrap();
    assert_eq!(world.refund_webhooks().len(), 2, "Razorpay lets it go at once");
    world.deliver_all(world.razorpay.webhooks()).await;
    assert_eq!(world.returns().await, before);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_webhook_for_a_refund_whose_answer_was_lost_is_matched_by_receipt(pool: PgPool) {
    let (world, payment) = World::paid(pool).await;
    world.razorpay.change(|settings| settings.refund_delay = Duration::from_mins(1));
    world.asked_for(&payment, 75010).await;
    world.deliver_all(world.refund_webhooks()).await;
    let pending = json!(["completed", 75010, [["pending", 75010]], ["paid", "refund_requested"]]);
    assert_eq!(world.returns().await, pending);
    world.razorpay.advance(Duration::from_secs(61));
    world.deliver_all(world.refund_webhooks()).await;
    let back = json!(["refunded", 75010, [["processed", 75010]], ["paid", "refund_requested", "refunded"]]);
    assert_eq!(world.returns().await, back);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failed_refund_can_be_requested_again_despite_late_webhooks(pool: PgPool) {
    let (world, payment) = World::paid(pool).await;
    world.razorpay.change(|settings| settings.refund_delay = Duration::from_mins(1));
    world.asked_for(&payment, 75010).await;
    let id = world.razorpay.refunds()[0]["id"].as_str().unwrap().to_owned();
    world.razorpay.end_refund(&id, RefundOutcome::Failed).unwrap();
    let counts = testing::Counts::start();
    world.deliver_all(world.refund_webhooks().into_iter().rev()).await;
    assert_eq!(counts.of(shared::metrics::Count::RefundsFailed), 1, "what raises the alarm");
    let failed = json!(["completed", 0, [["failed", 75010]], ["paid", "refund_requested", "refund_failed"]]);
    assert_eq!(world.returns().await, failed);
    world.asked_for(&payment, 75010).await;
    world.razorpay.advance(Duration::from_secs(61));
    world.deliver_all(world.refund_webhooks()).await;
    assert_eq!(world.returns().await[0], "refunded");
    assert_eq!(world.returns().await[2], json!([["failed", 75010], ["processed", 75010]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_given_up_here_and_still_made_by_razorpay_counts(pool: PgPool) {
    let (world, payment) = World::paid(pool).await;
    world.asked_for(&payment, 75010).await;
    let mut transaction = Database::from(world.pool.clone()).begin().await.unwrap();
    refunds::give_up(&mut transaction, RefundId(1)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(world.returns().await[1], 0);
    world.deliver_all(world.refund_webhooks()).await;
    let back =
        json!(["refunded", 75010, [["processed", 75010]], ["paid", "refund_requested", "refund_failed", "refunded"]]);
    assert_eq!(world.returns().await, back);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn two_refunds_of_the_same_money_count_once(pool: PgPool) {
    let (world, payment) = World::paid(pool).await;
    world.cancel().await;
    world.refund_in_dashboard(&payment, 75010).await;
    world.deliver_all(world.refund_webhooks()).await;
    let mut transaction = Database::from(world.pool.clone()).begin().await.unwrap();
    refunds::give_up(&mut transaction, RefundId(1)).await.unwrap();
    transaction.commit().await.unwrap();
    let [status, refunded, refunds, _] =
        <[Value; 4]>::try_from(world.returns().await.as_array().unwrap().clone()).unwrap();
    assert_eq!((status, refunded), (json!("refunded"), json!(75010)), "what is back stays back");
    assert_eq!(refunds, json!([["failed", 75010], ["processed", 75010]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_queued_refund_leaves_room_for_refunds_not_reported_yet(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.cancel().await;
    world.refund_in_dashboard(&checkout.payment_id, 30000).await;
    world.razorpay.forget_keys();
    world.refund_in_dashboard(&checkout.payment_id, 20000).await;
    world.deliver_all(world.razorpay.webhooks().into_iter().rev()).await;
    let returns = world.returns().await;
    assert_eq!(returns[1], 75010);
    assert_eq!(returns[2], json!([["processed", 20000], ["processed", 30000], ["queued", 25010]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_fully_refunded_payment_is_not_refunded_again(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.cancel().await;
    world.refund_in_dashboard(&checkout.payment_id, 75010).await;
    assert_eq!(world.verify(&checkout).await.status, 200);
    let expected = json!(["refunded", 75010, [["processed", 75010]], ["cancelled", "paid", "refunded"]]);
    assert_eq!(world.returns().await, expected);
}

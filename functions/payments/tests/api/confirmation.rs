//! Money that only a webhook tells of: Razorpay is asked before it counts.

use std::time::{Duration, Instant};

use jobs::Event;
use razorpay_stand_in::{Fault, Outcome};
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    razorpay::Razorpay,
};
use sqlx::PgPool;
use testing::Answer;

use crate::{WEBHOOK, World};

impl World {
    /// Delivers an event of these bytes, signed with our secret.
    async fn deliver_signed(&self, body: &str) -> Answer {
        let signature = razorpay_stand_in::sign(razorpay_stand_in::WEBHOOK_SECRET, body.as_bytes());
        self.client.with("X-Razorpay-Signature", &signature).send("POST", WEBHOOK, Some(body)).await
    }

    fn event(payment: &Value) -> String {
        json!({ "event": "payment.captured", "payload": { "payment": { "entity": payment } } }).to_string()
    }

    /// Amount and reason of what Razorpay does not confirm.
    async fn doubts(&self) -> Value {
        sqlx::query_scalar(
            "select coalesce(json_agg(json_build_array(amount_paise, reason) order by entry_id), '[]')
            from money_unmatched",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    async fn jobs_ask(&self) {
        let razorpay =
            Razorpay::new(&self.razorpay.url(), razorpay_stand_in::KEY_ID, razorpay_stand_in::KEY_SECRET).unwrap();
        let jobs = jobs::App {
            database: Database::from(self.pool.clone()),
            razorpay: Some(razorpay),
            people: None,
            carriers: None,
            plan: shared::messages::Plan::default(),
        };
        jobs.handle(Event::DeliverOutbox).await.unwrap();
    }
}

const UNKNOWN: &str = "a webhook told of a payment that Razorpay does not know";
const ANOTHER: &str = "a webhook told another amount, currency or order than Razorpay does";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_capture_or_refund_that_razorpay_does_not_confirm_does_not_count(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let forged = json!({
        "id": "pay_Forged00000000", "order_id": order, "amount": 75_010, "currency": "INR", "status": "captured"
    });
    assert_eq!(world.deliver_signed(&World::event(&forged)).await.status, 200);
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, ["payment_mismatch"]]));
    assert_eq!(world.doubts().await, json!([[75_010, UNKNOWN]]));
    // Not captured, as Razorpay knows it.
    let mut early = world.razorpay.payment(&world.razorpay.checkout(&order, Outcome::Authorized).payment_id).unwrap();
    early["status"] = json!("captured");
    assert_eq!(world.deliver_signed(&World::event(&early)).await.status, 200);
    assert_eq!(world.facts().await[0], "pending");
    let paid = world.razorpay.move_payment(early["id"].as_str().unwrap(), Outcome::Captured).unwrap();
    world.deliver_all(world.razorpay.webhooks()).await;
    let refund =
        json!({ "id": "rfnd_Forged00000000", "payment_id": paid["id"], "amount": 75_010, "status": "processed" });
    let event = json!({
        "event": "refund.processed", "payload": { "refund": { "entity": refund }, "payment": { "entity": paid } }
    });
    assert_eq!(world.deliver_signed(&event.to_string()).await.status, 200);
    assert_eq!((world.facts().await[0].clone(), world.facts().await[3].clone()), (json!("completed"), json!(0)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn impossible_webhooks_are_accepted_and_noted(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let payment = |id: &str, amount: i64| json!({ "id": id, "order_id": order, "amount": amount, "currency": "INR", "status": "captured" });
    let mut expected = Vec::new();
    for (place, amount) in [0, -1, i64::MIN, i64::MAX].into_iter().enumerate() {
        let told = payment(&format!("pay_Forged0000000{place}"), amount);
        assert_eq!(world.deliver_signed(&World::event(&told)).await.status, 200, "{amount}");
        expected.push(json!([amount, UNKNOWN]));
    }
    for event in [
        World::event(&payment("pay_\0", 75_010)),
        World::event(
            &json!({ "id": "pay_1", "order_id": "order_\0", "amount": 1, "currency": "\0", "status": "captured" }),
        ),
        json!({ "event": "\0" }).to_string(),
    ] {
        assert_eq!(world.deliver_signed(&event).await.status, 200, "{event}");
    }
    for amount in [75_010, 1, 0] {
        expected.push(json!([amount, "a webhook holds the character NUL"]));
    }
    assert_eq!(world.doubts().await, json!(expected));
    // A payment that Razorpay knows, told with another amount: Razorpay's counts.
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    assert_eq!(world.deliver_signed(&World::event(&payment(&checkout.payment_id, -75_010))).await.status, 200);
    expected.push(json!([-75_010, ANOTHER]));
    assert_eq!(world.doubts().await, json!(expected));
    assert_eq!(world.facts().await[0], "completed");
    // Razorpay itself says so.
    world.book().await;
    let second = world.client.post(crate::CREATE, &json!({ "booking_id": 2 })).await;
    let checkout = world.razorpay.checkout(second.body["data"]["order_id"].as_str().unwrap(), Outcome::Captured);
    world.razorpay.change_payment(&checkout.payment_id, |payment| payment["amount"] = json!(-5));
    let answer = world.verify(&checkout).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("PAYMENT_MISMATCH")));
    expected.push(json!([-5, "no payment has such an amount"]));
    assert_eq!(world.doubts().await, json!(expected));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn while_razorpay_is_slow_a_webhook_is_accepted_in_time_and_the_job_settles_it(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    let path = format!("/v1/payments/{}", checkout.payment_id);
    world.razorpay.spoil(&path, Fault::delay(Duration::from_secs(6)));
    let webhook = world.razorpay.webhooks().into_iter().find(|webhook| webhook.event == "payment.captured").unwrap();
    let begun = Instant::now();
    assert_eq!(world.deliver(&webhook).await.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "Razorpay does not wait longer");
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
    world.jobs_ask().await;
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75_010, 0, ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_signed_with_a_key_of_before_is_settled_by_asking_razorpay(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let mut checkout = world.razorpay.checkout(&order, Outcome::Captured);
    checkout.signature = razorpay_stand_in::sign("before", format!("{order}|{}", checkout.payment_id).as_bytes());
    let answer = world.verify(&checkout).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INVALID_SIGNATURE")));
    assert_eq!(world.facts().await[0], "pending");
    world.jobs_ask().await;
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75_010, 0, ["paid"]]));
}

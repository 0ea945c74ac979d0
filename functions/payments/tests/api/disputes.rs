//! Disputes: rows with a deadline, told by webhooks in any order.

use razorpay_stand_in::{DisputeOutcome, Outcome};
use serde_json::{Value, json};
use shared::{
    database::MIGRATOR,
    payments::mismatches::{self, Wanted},
};
use sqlx::PgPool;

use crate::World;

impl World {
    async fn disputes(&self) -> Value {
        sqlx::query_scalar(
            "select coalesce(json_agg(json_build_array(status, amount_paise, deducted_paise, phase, reason,
                respond_by > now() + interval '6 days') order by id), '[]') from disputes",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_dispute_is_a_row_a_line_and_a_deadline_however_often_it_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.verify(&checkout).await;
    let id = world.razorpay.dispute(&checkout.payment_id, Some(50_000)).unwrap()["id"].as_str().unwrap().to_owned();
    let row = |status: &str, deducted: i64| {
        json!([[status, 50_000, deducted, "chargeback", "goods_or_services_not_received", true]])
    };
    let counts = testing::Counts::start();
    for _ in 0..2 {
        world.deliver_all(world.razorpay.webhooks()).await;
        assert_eq!(world.disputes().await, row("open", 0));
        assert_eq!(world.facts().await, json!(["completed", "razorpay", 75_010, 0, ["paid", "disputed"]]));
    }
    assert_eq!(counts.of(shared::metrics::Count::DisputesOpened), 1, "what raises the alarm");
    let listed = mismatches::list(&world.pool, Wanted::default()).await.unwrap();
    let dispute = &listed[0];
    assert_eq!((dispute.kind.as_str(), dispute.amount.paise(), listed.len()), ("dispute", 50_000, 1));
    assert!(dispute.deadline.is_some() && dispute.to_refund().is_none());
    world.razorpay.end_dispute(&id, DisputeOutcome::Lost).unwrap();
    // The newest first: the dispute that was opened before does not come back.
    world.deliver_all(world.razorpay.webhooks().into_iter().rev()).await;
    assert_eq!(world.disputes().await, row("lost", 50_000));
    assert_eq!(world.facts().await[4], json!(["paid", "disputed", "dispute_ended"]));
    assert!(mismatches::list(&world.pool, Wanted::default()).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_dispute_that_is_told_before_its_payment_or_its_opening_is_complete_in_the_end(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    let id = world.razorpay.dispute(&checkout.payment_id, None).unwrap()["id"].as_str().unwrap().to_owned();
    world.razorpay.end_dispute(&id, DisputeOutcome::Won).unwrap();
    let (disputes, others): (Vec<_>, Vec<_>) =
        world.razorpay.webhooks().into_iter().partition(|webhook| webhook.event.starts_with("payment.dispute"));
    world.deliver_all(disputes.into_iter().rev()).await;
    assert_eq!(world.disputes().await[0][0], "won");
    assert_eq!(world.facts().await[4], json!([]), "the payment is not known yet");
    world.deliver_all(others).await;
    assert_eq!(world.facts().await[4], json!(["disputed", "dispute_ended", "paid"]));
}

//! The settlement report: money of any age that is at Razorpay and not here.

use razorpay_stand_in::{DisputeOutcome, Outcome};
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;

use crate::World;

impl World {
    async fn compare(&self) -> Value {
        self.run("compare_settlements").await
    }

    async fn a_day_passes(&self) {
        sqlx::query("update settlement_days set compared_at = compared_at - interval '1 day'")
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Kind, amount and booking of what has no row.
    async fn unmatched(&self) -> Value {
        sqlx::query_scalar(
            "select coalesce(json_agg(json_build_array(kind, amount_paise, booking_id) order by entry_id), '[]')
            from money_unmatched",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_that_all_else_has_missed_is_found_however_old_its_order_is(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    world.app.razorpay.as_ref().unwrap().refund(&payment, 5010, "dashboard-0001").await.unwrap();
    let old = "update payments set created_at = now() - interval '2 days', updated_at = now() - interval '90 days'";
    sqlx::query(old).execute(&world.pool).await.unwrap();
    assert_eq!(world.run("reconcile_payments").await["asked"], 0, "it is too old");
    let expected = |days: usize, entries: usize, found: usize| json!({ "action": "compare_settlements", "days": days, "entries": entries, "found": found, "unmatched": 0 });
    assert_eq!(world.compare().await, expected(3, 2, 2));
    assert_eq!(world.facts().await, json!(["completed", ["processed"], ["paid", "refunded"]]));
    assert_eq!(world.compare().await, expected(0, 0, 0), "each day once");
    world.a_day_passes().await;
    assert_eq!(world.compare().await, expected(3, 2, 0));
    // A day that was missed is caught up.
    sqlx::query("delete from settlement_days where day < (now() at time zone 'Asia/Kolkata')::date - 1")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.compare().await, expected(1, 0, 0));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn money_that_is_only_in_the_report_is_a_row_once(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    world.run("reconcile_payments").await;
    // Orders that the restored database does not have, and a refund of one.
    let razorpay = world.app.razorpay.as_ref().unwrap();
    let lost = razorpay.create_order(40_000, "INR", "booking-9-x").await.unwrap();
    let lost = world.razorpay.checkout(&lost.id, Outcome::Captured).payment_id;
    razorpay.refund(&lost, 10_000, "dashboard-0001").await.unwrap();
    let dispute = world.razorpay.dispute(&payment, None).unwrap()["id"].as_str().unwrap().to_owned();
    world.razorpay.end_dispute(&dispute, DisputeOutcome::Lost).unwrap();
    assert_eq!(world.compare().await["unmatched"], 3);
    let rows = json!([["payment", 40_000, null], ["refund", 10_000, null], ["adjustment", 75_010, 1]]);
    assert_eq!(world.unmatched().await, rows);
    assert_eq!(world.facts().await[2], json!(["paid", "payment_mismatch"]));
    world.a_day_passes().await;
    assert_eq!(world.compare().await["unmatched"], 0);
    assert_eq!(world.unmatched().await, rows);
    assert_eq!(world.run("reconcile_payments").await["unmatched"], 3);
}

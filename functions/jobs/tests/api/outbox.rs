//! The outbox: each refund reaches Razorpay once, also after a lost answer or a killed job.

use std::time::Duration;

use futures::future::join_all;
use jobs::App;
use razorpay_stand_in::{Fault, Outcome};
use serde_json::json;
use shared::ids::{BookingId, CaptureId};
use shared::payments::refunds;
use shared::{
    bookings::{Actor, booking},
    database::{Database, MIGRATOR},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{World, app, run};

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_jobs_make_a_refund_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let payment = world.paid_and_cancelled().await;
    let apps: Vec<App> = (0..6).map(|_| app(Database::new(options.clone()), &world.razorpay)).collect();
    join_all(apps.iter().map(|app| run(app, "deliver_outbox"))).await;
    assert_eq!(world.razorpay.refunds().len(), 1);
    assert_eq!(world.razorpay.payment(&payment).unwrap()["amount_refunded"], 75010);
    let expected = json!(["refunded", ["processed"], ["paid", "cancelled", "refund_requested", "refunded"]]);
    assert_eq!(world.facts().await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_whose_answer_was_lost_is_retried_and_made_once(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refund"), Fault::lost());
    let first = world.run("deliver_outbox").await;
    assert_eq!((&first["postponed"], world.razorpay.refunds().len()), (&json!(1), 1));
    assert_eq!(world.facts().await[0], "completed");
    assert_eq!(world.run("deliver_outbox").await["delivered"], 0, "not due yet");
    world.make_due().await;
    world.run("deliver_outbox").await;
    assert_eq!((world.facts().await[0].clone(), world.razorpay.refunds().len()), (json!("refunded"), 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_refused_by_razorpay_is_reported_and_can_be_requested_again(pool: PgPool) {
    let world = World::new(pool).await;
    world.paid_and_cancelled().await;
    world.razorpay.change(|settings| settings.has_balance = false);
    assert_eq!(world.run("deliver_outbox").await["failed"], 1);
    assert_eq!(world.facts().await[1], json!(["failed"]));
    assert_eq!(world.run("reconcile_payments").await["failed_refunds"], 1);
    world.razorpay.change(|settings| settings.has_balance = true);
    let mut transaction = world.app.database.begin().await.unwrap();
    let booking = booking::lock(&mut transaction, BookingId(1)).await.unwrap();
    assert_eq!(refunds::left(&mut transaction, CaptureId(1)).await.unwrap(), 75010);
    refunds::queue(&mut transaction, &booking, CaptureId(1), 75010, "again", &Actor::System).await.unwrap();
    transaction.commit().await.unwrap();
    world.run("deliver_outbox").await;
    assert_eq!(world.facts().await[0], "refunded");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_partial_refund_is_made_once_even_if_answer_and_key_are_lost(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    world.run("reconcile_payments").await;
    world.queue(30000).await;
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refund"), Fault::lost());
    world.run("deliver_outbox").await;
    world.razorpay.forget_keys();
    world.make_due().await;
    assert_eq!(world.run("deliver_outbox").await["postponed"], 0);
    assert_eq!(world.razorpay.refunds().len(), 1);
    assert_eq!(world.facts().await, json!(["completed", ["processed"], ["paid", "refund_requested", "refunded"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_is_made_once_even_if_the_job_is_killed_before_the_answer(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refund"), Fault::delay(Duration::from_secs(4)).after());
    let made = async {
        while world.razorpay.refunds().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = world.run("deliver_outbox") => panic!("ended: {outcome}"),
        () = made => {}
    }
    assert_eq!(world.facts().await[1], json!(["queued"]));
    world.make_due().await;
    assert_eq!(world.run("deliver_outbox").await["postponed"], 0);
    assert_eq!(world.razorpay.refunds().len(), 1);
    assert_eq!(world.facts().await[0], "refunded");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_message_is_retried_for_a_week_and_does_not_block_others(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    sqlx::query("update outbox set attempts = 160 where kind = 'refund'").execute(&world.pool).await.unwrap();
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refunds"), Fault::server_error().times(2));
    let run = world.run("deliver_outbox").await;
    assert_eq!((&run["delivered"], &run["postponed"], &run["failed"]), (&json!(2), &json!(1), &json!(0)));
    let minutes: f64 = sqlx::query_scalar(
        "select (extract(epoch from due_at - now()) / 60)::float8 from outbox where kind = 'refund'",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert!((59.0..=60.0).contains(&minutes), "{minutes}");
    world.make_due().await;
    world.run("deliver_outbox").await;
    assert_eq!(world.facts().await[0], "refunded");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_run_delivers_all_due_messages(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::query("insert into outbox (kind, payload) select 'booking_confirmed', '{}' from generate_series(1, 50)")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.run("deliver_outbox").await["delivered"], 50);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_message_that_fails_for_a_week_is_given_up_and_reported(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    sqlx::query("update outbox set attempts = 169 where kind = 'refund'").execute(&world.pool).await.unwrap();
    sqlx::query("update refunds set created_at = now() - interval '9 days'").execute(&world.pool).await.unwrap();
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refunds"), Fault::server_error().times(4));
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refund"), Fault::server_error().times(4));
    assert_eq!(world.run("deliver_outbox").await["failed"], 1);
    world.make_due().await;
    assert_eq!(world.run("deliver_outbox").await["failed"], 0);
    assert_eq!(world.run("reconcile_payments").await["failed_refunds"], 1);
    // Requeues the message, as an operator does once the cause is fixed.
    world.razorpay.clear_faults();
    sqlx::query("update outbox set failed_at = null, attempts = 1, due_at = now() where failed_at is not null")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.run("deliver_outbox").await["failed"], 0);
    assert_eq!((world.facts().await[0].clone(), world.razorpay.refunds().len()), (json!("refunded"), 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_partial_refund_made_in_the_dashboard_leaves_only_the_rest_to_refund(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    let razorpay = world.app.razorpay.as_ref().unwrap();
    razorpay.refund(&payment, 30000, "made-in-the-dashboard").await.unwrap();
    for _ in 0..2 {
        world.run("deliver_outbox").await;
        world.make_due().await;
    }
    assert_eq!(world.razorpay.payment(&payment).unwrap()["amount_refunded"], 75010);
    let facts = world.facts().await;
    assert_eq!((&facts[0], &facts[1]), (&json!("refunded"), &json!(["failed", "processed", "processed"])));
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["failed_refunds"], &told["not_given_back"]), (&json!(0), &json!(0)));
}

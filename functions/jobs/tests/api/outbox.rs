//! The outbox: each refund reaches Razorpay once, also after a lost answer or a killed job.

use std::time::Duration;

use futures::future::join_all;
use jobs::{App, Event};
use razorpay_stand_in::{Fault, Outcome};
use serde_json::json;
use shared::{
    config::{self, Pace, Settings},
    database::{Database, MIGRATOR},
    razorpay::Razorpay,
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
async fn a_refund_refused_for_a_reason_that_may_pass_is_tried_until_razorpay_takes_it(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    let path = format!("/v1/payments/{payment}/refund");
    let unclear =
        json!({ "error": { "code": "BAD_REQUEST_ERROR", "description": "invalid request sent", "metadata": {} } });
    let key = json!({ "error": { "code": "BAD_REQUEST_ERROR", "description": "Authentication failed" } });
    world.razorpay.change(|settings| settings.has_balance = false);
    let counts = testing::Counts::start();
    for fault in
        [None, Some(Fault::answer(400, unclear)), Some(Fault::answer(401, key.clone())), Some(Fault::answer(400, key))]
    {
        if let Some(fault) = fault {
            world.razorpay.spoil(&path, fault);
        }
        let told = world.run("deliver_outbox").await;
        assert_eq!((&told["postponed"], &told["failed"]), (&json!(1), &json!(0)));
        world.make_due().await;
    }
    let told = [shared::metrics::Count::RefundsRefused, shared::metrics::Count::RazorpayKeyRefused]
        .map(|what| counts.of(what));
    assert_eq!(told, [3, 1], "what raises the alarms");
    assert_eq!(world.facts().await[1], json!(["queued"]));
    assert_eq!(world.run("reconcile_payments").await["failed_refunds"], 1, "people see it");
    world.razorpay.change(|settings| settings.has_balance = true);
    world.run("deliver_outbox").await;
    let events = json!(["paid", "cancelled", "refund_requested", "refunded"]);
    assert_eq!(world.facts().await, json!(["refunded", ["processed"], events]));
    assert_eq!(world.run("reconcile_payments").await["failed_refunds"], 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_that_can_never_be_made_is_given_up(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    let old = "Refund is not supported by the bank because the payment is more than 6 months old";
    let old = json!({ "error": { "code": "BAD_REQUEST_ERROR", "description": old, "source": null, "reason": null } });
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refund"), Fault::answer(400, old));
    assert_eq!(world.run("deliver_outbox").await["failed"], 1);
    assert_eq!(world.facts().await[1], json!(["failed"]));
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["failed_refunds"], &told["not_given_back"]), (&json!(1), &json!(1)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_queued_rest_below_the_minimum_is_written_off(pool: PgPool) {
    let world = World::new(pool).await;
    world.paid_and_cancelled().await;
    // Of before such refunds were refused.
    sqlx::query("update refunds set amount_paise = 50").execute(&world.pool).await.unwrap();
    sqlx::query("update captures set refunded_paise = amount_paise").execute(&world.pool).await.unwrap();
    let rest = "insert into refunds (capture_id, booking_id, amount_paise, state, idempotency_key, refund_id, actor)
        select id, booking_id, amount_paise - 50, 'processed', 'before', 'rfnd_before', 'system' from captures";
    sqlx::query(rest).execute(&world.pool).await.unwrap();
    assert_eq!(world.run("deliver_outbox").await["failed"], 0);
    assert!(world.razorpay.refunds().is_empty());
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["failed_refunds"], &told["not_given_back"]), (&json!(0), &json!(0)), "{told}");
    assert_eq!(world.facts().await[1], json!(["failed", "processed"]));
    let events = world.facts().await[2].clone();
    assert!(events.as_array().unwrap().contains(&json!("written_off")), "{events}");
    world.make_due().await;
    assert_eq!(world.run("deliver_outbox").await["postponed"], 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn after_a_restore_a_refund_that_razorpay_has_made_is_not_made_again(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    world.run("reconcile_payments").await;
    world.queue(30000).await;
    world.run("deliver_outbox").await;
    assert_eq!(world.razorpay.payment(&payment).unwrap()["amount_refunded"], 30000);
    // The backup is from between the two, and Razorpay has forgotten the key by now.
    sqlx::raw_sql(
        "update refunds set state = 'queued', refund_id = null, created_at = now() - interval '6 minutes';
        update outbox set delivered_at = null, attempts = 0, due_at = now() where kind = 'refund'",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    world.razorpay.forget_keys();
    world.run("deliver_outbox").await;
    assert_eq!(world.razorpay.payment(&payment).unwrap()["amount_refunded"], 30000);
    assert_eq!((world.razorpay.refunds().len(), &world.facts().await[1]), (1, &json!(["processed"])));
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
    sqlx::query("update outbox set created_at = now() - interval '20 minutes'").execute(&world.pool).await.unwrap();
    let counts = testing::Counts::start();
    let run = world.run("deliver_outbox").await;
    assert_eq!((&run["delivered"], &run["postponed"], &run["failed"]), (&json!(2), &json!(1), &json!(0)));
    let age = counts.level(shared::metrics::Level::OutboxAge).unwrap();
    assert!((1200.0..1260.0).contains(&age), "{age}: what raises the alarm");
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
async fn a_refund_is_tried_for_as_long_as_it_takes_and_reported_after_a_week(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.paid_and_cancelled().await;
    sqlx::query("update outbox set attempts = 500 where kind = 'refund'").execute(&world.pool).await.unwrap();
    sqlx::query("update refunds set created_at = now() - interval '9 days'").execute(&world.pool).await.unwrap();
    world.razorpay.spoil(&format!("/v1/payments/{payment}/refunds"), Fault::server_error().times(2));
    let told = world.run("deliver_outbox").await;
    assert_eq!((&told["postponed"], &told["failed"]), (&json!(1), &json!(0)));
    assert_eq!(world.run("reconcile_payments").await["failed_refunds"], 1);
    world.make_due().await;
    world.run("deliver_outbox").await;
    assert_eq!((world.facts().await[0].clone(), world.razorpay.refunds().len()), (json!("refunded"), 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_of_before_goes_out_while_no_new_orders_are_taken_and_waits_without_a_key(pool: PgPool) {
    let world = World::new(pool).await;
    world.paid_and_cancelled().await;
    let without_key = App {
        database: Database::from(world.pool.clone()),
        razorpay: None,
        people: None,
        carriers: None,
        plan: shared::messages::Plan::default(),
    };
    assert_eq!(run(&without_key, "deliver_outbox").await["postponed"], 1);
    let unread = Settings::of(&[(config::SECRET_ID, "unread")], None, Pace::default());
    let razorpay = Some(Razorpay::with_key_of(&unread, &world.razorpay.url()).unwrap());
    let unread = App {
        database: Database::from(world.pool.clone()),
        razorpay,
        people: None,
        carriers: None,
        plan: shared::messages::Plan::default(),
    };
    assert!(unread.handle(Event::ReconcilePayments).await.is_err(), "an unread key is not \"no key\"");
    world.make_due().await;
    world.run("deliver_outbox").await;
    assert_eq!(world.facts().await[0], "refunded");
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

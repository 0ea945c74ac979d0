//! Reconciliation: finds payments and refunds that browser and webhooks have missed.

use std::time::{Duration, Instant};

use futures::future::join_all;
use jobs::{App, Event};
use razorpay_stand_in::{Attempt, Fault, Outcome};
use serde_json::{Value, json};
use shared::{
    bookings::{
        self, Actor,
        appointment::Rules,
        booking,
        lines::{self, Change},
    },
    database::{Database, MIGRATOR},
    ids::{BookingId, PaymentId, ServiceId},
    payments::{orders, refunds},
};
use sqlx::{
    PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{World, app, run};

#[sqlx::test(migrator = "MIGRATOR")]
async fn reconciliation_alone_settles_a_payment(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.checkout(&world.order(), Outcome::Authorized);
    let expected = |asked, applied| {
        json!({
            "action": "reconcile_payments", "asked": asked, "applied": applied, "refunds": 0, "mismatched": 0,
            "paid_without_money": 0, "money_without_paid": 0, "not_given_back": 0, "failed_refunds": 0, "misfits": 0, "unmatched": 0
        })
    };
    assert_eq!(world.run("reconcile_payments").await, expected(1, 1));
    assert_eq!(world.facts().await, json!(["completed", [], ["paid"]]));
    assert_eq!(world.run("reconcile_payments").await, expected(0, 0), "a settled order is not asked for again");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_whose_id_was_lost_is_found_by_its_receipt(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::query("update payments set order_id = null").execute(&world.pool).await.unwrap();
    world.razorpay.checkout(&world.order(), Outcome::Captured);
    assert_eq!(world.run("reconcile_payments").await["applied"], 1);
    assert_eq!(world.facts().await[0], "completed");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_wrong_amount_and_a_paid_booking_without_money_are_reported(pool: PgPool) {
    let world = World::new(pool).await;
    let checkout = world.razorpay.checkout(&world.order(), Outcome::Captured);
    world.razorpay.change_payment(&checkout.payment_id, |payment| payment["amount"] = json!(100));
    assert_eq!(world.run("reconcile_payments").await["mismatched"], 1);
    assert_eq!(world.facts().await, json!(["pending", [], ["payment_mismatch"]]));
    sqlx::query("update payments set checked_at = now() - interval '20 minutes'").execute(&world.pool).await.unwrap();
    let counts = testing::Counts::start();
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["asked"], &told["mismatched"], &told["misfits"]), (&json!(1), &json!(0), &json!(1)), "told once");
    let level = counts.level(shared::metrics::Level::ReconciliationMismatches);
    assert_eq!(level, Some(1.0), "what raises the alarm");
    assert_eq!(world.facts().await[2], json!(["payment_mismatch"]));
    sqlx::query("update bookings set payment_status = 'completed'").execute(&world.pool).await.unwrap();
    assert_eq!(world.run("reconcile_payments").await["paid_without_money"], 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_settled_order_is_checked_again_the_next_day(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    world.run("reconcile_payments").await;
    let a_day_later = async || {
        let aged =
            "update payments set updated_at = now() - interval '2 days', checked_at = now() - interval '25 hours'";
        sqlx::query(aged).execute(&world.pool).await.unwrap();
        world.run("reconcile_payments").await
    };
    let told = a_day_later().await;
    assert_eq!((&told["asked"], &told["mismatched"]), (&json!(1), &json!(0)));

    // A part is refunded in Razorpay's dashboard, and its webhook is lost.
    let razorpay = world.app.razorpay.as_ref().unwrap();
    razorpay.refund(&payment, 5010, "dashboard-0001").await.unwrap();
    assert_eq!(a_day_later().await["refunds"], 1);
    assert_eq!(world.facts().await, json!(["completed", ["processed"], ["paid", "refunded"]]));

    // A settled payment that Razorpay no longer counts as paid is a mismatch.
    world.razorpay.change_payment(&payment, |payment| payment["status"] = json!("failed"));
    let told = a_day_later().await;
    assert_eq!((&told["asked"], &told["mismatched"]), (&json!(1), &json!(1)));
    assert_eq!(world.facts().await[0], "completed", "a person must look at it");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_jobs_settle_an_order_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    world.razorpay.checkout(&world.order(), Outcome::Authorized);
    let apps: Vec<App> = (0..6).map(|_| app(Database::new(options.clone()), &world.razorpay)).collect();
    let told = join_all(apps.iter().map(|app| run(app, "reconcile_payments"))).await;
    assert_eq!(told.iter().filter(|told| told["applied"] == 1).count(), 1);
    assert_eq!(world.facts().await, json!(["completed", [], ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_claimed_by_a_killed_job_is_settled_later(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order();
    world.razorpay.checkout(&order, Outcome::Captured);
    let path = format!("/v1/orders/{order}/payments");
    world.razorpay.spoil(&path, Fault::delay(Duration::from_secs(4)));
    let asked = async {
        while world.razorpay.calls(&path) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        told = world.run("reconcile_payments") => panic!("ended: {told}"),
        () = asked => {}
    }
    assert_eq!(world.run("reconcile_payments").await["asked"], 0, "it was asked for a moment ago");
    sqlx::query("update payments set checked_at = checked_at - interval '11 minutes'")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.run("reconcile_payments").await["applied"], 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_that_razorpay_fails_to_answer_for_does_not_block_others(pool: PgPool) {
    let world = World::new(pool).await;
    let lost = world.another_order().await;
    sqlx::query(
        "update payments set order_id = null, checked_at = checked_at - interval '1 minute' where order_id = $1",
    )
    .bind(lost)
    .execute(&world.pool)
    .await
    .unwrap();
    world.razorpay.checkout(&world.order(), Outcome::Captured);
    world.razorpay.spoil("/v1/orders", Fault::server_error().times(2));
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["asked"], &told["applied"]), (&json!(2), &json!(1)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_run_asks_for_all_due_orders(pool: PgPool) {
    let world = World::new(pool).await;
    for _ in 0..54 {
        world.another_order().await;
    }
    assert_eq!(world.run("reconcile_payments").await["asked"], 55);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn after_the_deadline_no_order_is_asked_for_and_mismatches_are_still_counted(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.checkout(&world.order(), Outcome::Captured);
    world.run("reconcile_payments").await;
    world.another_order().await;
    sqlx::query("update bookings set payment_status = 'pending'").execute(&world.pool).await.unwrap();
    let until = async |event| json!(world.app.handle_until(event, Instant::now()).await.unwrap());
    let told = until(Event::ReconcilePayments).await;
    assert_eq!((&told["asked"], &told["money_without_paid"]), (&json!(0), &json!(1)));
    assert_eq!(until(Event::DeliverOutbox).await["delivered"], 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn money_for_the_total_of_before_a_change_of_services_goes_back(pool: PgPool) {
    let world = World::new(pool).await;
    let paid = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    let add = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, BookingId(1)).await?;
        lines::change(connection, booking, Change::Add(ServiceId(6)), &Actor::Staff("desk".to_owned()), Rules::Overbook)
            .await
    };
    let booking = bookings::transaction(&world.app.database, add).await.unwrap();
    assert!(booking.total_amount.paise() > 75010);
    let later =
        "update payments set updated_at = now() - interval '20 minutes', checked_at = now() - interval '20 minutes'";
    sqlx::query(later).execute(&world.pool).await.unwrap();
    assert_eq!(world.run("reconcile_payments").await["applied"], 1);
    let events = ["services_changed", "refund_requested"];
    assert_eq!(world.facts().await, json!(["pending", ["queued"], events]));
    world.run("deliver_outbox").await;
    assert_eq!(world.razorpay.payment(&paid).unwrap()["amount_refunded"], 75010);
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["money_without_paid"], &told["not_given_back"]), (&json!(0), &json!(0)), "{told}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_of_a_wrong_amount_is_not_captured(pool: PgPool) {
    let world = World::new(pool).await;
    let attempt = Attempt { order_id: world.order(), outcome: Some(Outcome::Authorized), ..Attempt::default() };
    let payment = world.razorpay.pay(&Attempt { amount: Some(100), ..attempt }).unwrap().payment_id;
    assert_eq!(world.run("reconcile_payments").await["mismatched"], 1);
    assert_eq!(world.razorpay.payment(&payment).unwrap()["status"], "authorized");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_that_cannot_be_captured_does_not_block_another(pool: PgPool) {
    let world = World::new(pool).await;
    let attempt = Attempt { order_id: world.order(), second: true, ..Attempt::default() };
    let hung = world.razorpay.pay(&Attempt { outcome: Some(Outcome::Authorized), ..attempt.clone() }).unwrap();
    world.razorpay.pay(&attempt).unwrap();
    world.razorpay.spoil(&format!("/v1/payments/{}/capture", hung.payment_id), Fault::server_error().times(2));
    assert_eq!(world.run("reconcile_payments").await["applied"], 1);
    assert_eq!(world.facts().await, json!(["completed", [], ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_refunded_before_reconciliation_is_recorded_as_refunded(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    world.app.razorpay.as_ref().unwrap().refund(&payment, 75010, "made-in-the-dashboard").await.unwrap();
    assert_eq!(world.run("reconcile_payments").await["refunds"], 1);
    assert_eq!(world.facts().await, json!(["refunded", ["processed"], ["paid", "refunded"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_authorized_late_is_captured(pool: PgPool) {
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Failed).payment_id;
    world.run("reconcile_payments").await;
    assert_eq!(world.facts().await[0], "pending");
    world.razorpay.move_payment(&payment, Outcome::Authorized).unwrap();
    sqlx::query("update payments set updated_at = now() - interval '3 days', checked_at = now() - interval '8 hours'")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.run("reconcile_payments").await["applied"], 1);
    assert_eq!(world.facts().await, json!(["completed", [], ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pending_refunds_are_asked_for_even_if_razorpay_fails_for_one(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.change(|settings| settings.refund_delay = Duration::from_hours(48));
    let first = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    let second = world.razorpay.checkout(&world.another_order().await, Outcome::Captured).payment_id;
    world.run("reconcile_payments").await;
    let razorpay = world.app.razorpay.as_ref().unwrap();
    for payment in [&first, &second] {
        let mut transaction = world.app.database.begin().await.unwrap();
        let refund = razorpay.refund(payment, 75010, &format!("dashboard-{payment}")).await.unwrap();
        refunds::record(&mut transaction, &refund).await.unwrap();
        transaction.commit().await.unwrap();
    }
    world.razorpay.advance(Duration::from_hours(49));
    sqlx::query("update refunds set updated_at = now() - interval '20 minutes' - id * interval '1 minute', created_at = now() - interval '30 minutes'").execute(&world.pool).await.unwrap();
    // The second is asked for first, and Razorpay fails to answer.
    world.razorpay.spoil(&format!("/v1/payments/{second}/refunds"), Fault::server_error().times(2));
    assert_eq!(world.run("reconcile_payments").await["refunds"], 1);
    assert_eq!(world.run("reconcile_payments").await["refunds"], 0, "it was asked for a moment ago");
    sqlx::query("update refunds set updated_at = now() - interval '20 minutes' where state = 'pending'")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(world.run("reconcile_payments").await["refunds"], 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_that_razorpay_does_not_take_is_reported(pool: PgPool) {
    let world = World::new(pool).await;
    world.paid_and_cancelled().await;
    assert_eq!(world.run("reconcile_payments").await["not_given_back"], 0, "it is queued");
    world.razorpay.change(|settings| settings.has_balance = false);
    world.run("deliver_outbox").await;
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["failed_refunds"], &told["not_given_back"]), (&json!(1), &json!(0)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_of_any_age_is_asked_for_once_if_a_person_wants_it(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.checkout(&world.order(), Outcome::Captured);
    let old = "update payments set updated_at = now() - interval '30 days', checked_at = now() - interval '20 days'";
    sqlx::query(old).execute(&world.pool).await.unwrap();
    assert_eq!(world.run("reconcile_payments").await["asked"], 0, "it is too old");
    assert!(orders::ask_now(&world.pool, PaymentId(1)).await.unwrap());
    let told = world.run("reconcile_payments").await;
    assert_eq!((&told["asked"], &told["applied"]), (&json!(1), &json!(1)));
    assert_eq!(world.facts().await, json!(["completed", [], ["paid"]]));
    assert_eq!(world.run("reconcile_payments").await["asked"], 0, "once");
    assert!(!orders::ask_now(&world.pool, PaymentId(99)).await.unwrap());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn handing_an_order_out_again_does_not_postpone_its_reconciliation(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.checkout(&world.order(), Outcome::Captured);
    // As create-order does, a moment ago.
    sqlx::query("update payments set updated_at = now()").execute(&world.pool).await.unwrap();
    assert_eq!(world.run("reconcile_payments").await["applied"], 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_run_of_each_minute_asks_for_an_order_that_a_person_wants(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.checkout(&world.order(), Outcome::Captured);
    world.run("deliver_outbox").await;
    assert_eq!(world.facts().await[0], "pending", "Razorpay was not asked");
    orders::ask_now(&world.pool, PaymentId(1)).await.unwrap();
    world.run("deliver_outbox").await;
    assert_eq!(world.facts().await[0], "completed");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_capture_keeps_means_bank_fee_and_failure_and_no_number_of_the_payer(pool: PgPool) {
    let world = World::new(pool).await;
    let facts = async || -> Value {
        let all =
            "select json_agg(json_build_array(state, means, bank, fee_paise, failure) order by means) from captures";
        sqlx::query_scalar(all).fetch_one(&world.pool).await.unwrap()
    };
    let ask = async || {
        orders::ask_now(&world.pool, PaymentId(1)).await.unwrap();
        world.run("reconcile_payments").await
    };
    let attempt = Attempt { order_id: world.order(), outcome: Some(Outcome::Failed), ..Attempt::default() };
    let card = world.razorpay.pay(&Attempt { method: Some("card".to_owned()), ..attempt.clone() }).unwrap().payment_id;
    world.razorpay.pay(&Attempt { method: Some("wallet".to_owned()), ..attempt.clone() }).unwrap();
    ask().await;
    let wallet = json!(["failed", "wallet", "mobikwik", null, "Payment failed"]);
    assert_eq!(facts().await, json!([["failed", "card", "Visa", null, "Payment failed"], wallet]));
    // The bank approves late.
    world.razorpay.move_payment(&card, Outcome::Captured).unwrap();
    ask().await;
    assert_eq!(facts().await, json!([["captured", "card", "Visa", 1770, null], wallet]));
    // What was not told at first is added later.
    sqlx::query("update captures set bank = null, fee_paise = null where means = 'card'")
        .execute(&world.pool)
        .await
        .unwrap();
    ask().await;
    assert_eq!(facts().await, json!([["captured", "card", "Visa", 1770, null], wallet]));
}

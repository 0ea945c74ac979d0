//! What the schedule does, twice at once, cut short and late, with Razorpay's stand-in.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use futures::future::join_all;
use jobs::{App, Event};
use razorpay::{Fault, Outcome, StandIn};
use serde_json::{Value, json};
use shared::{
    bookings::{
        change::{self, Actor},
        status::BookingStatus,
    },
    database::{Database, MIGRATOR},
    payments,
    razorpay::Razorpay,
    testing,
};
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};

struct World {
    app: App,
    razorpay: StandIn,
    pool: PgPool,
}

fn app(database: Database, stand_in: &StandIn) -> App {
    let razorpay = Razorpay::new(&stand_in.url(), stand_in.key_id(), stand_in.key_secret()).unwrap();
    App { database, razorpay: Some(razorpay) }
}

impl World {
    /// A booking of 750.10 rupees with an order that has been open for a while.
    async fn new(pool: PgPool) -> Self {
        testing::import_catalogue(&pool, &testing::redis()).await;
        let razorpay = StandIn::start().await;
        let world = Self { app: app(Database::from(pool.clone()), &razorpay), razorpay, pool };
        sqlx::raw_sql(
            "begin;
            insert into customers (phone) values ('+919876543210');
            insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
                appointment_date, appointment_time, slot_times, duration_minutes, total_paise, payment_method,
                access_token_sha256, access_token_expires_at)
            select 'R1', id, 'John Doe', 7, 'shop', current_date + 7, '10:00', array['10:00'::time], 30, 75010, 'cash',
                sha256('token'), now() + interval '30 days' from customers;
            insert into booking_services (booking_id, service_id, price_paise) values (1, 4, 75010);
            insert into slot_usage (pool, date, time, used, capacity) values ('shop', current_date + 7, '10:00', 1, 3);
            commit",
        )
        .execute(&world.pool)
        .await
        .unwrap();
        let order = world.app.razorpay.as_ref().unwrap().create_order(75010, "INR", "booking-1-x").await.unwrap();
        sqlx::query(
            "insert into payments (booking_id, method, amount_paise, receipt, order_id, actor, created_at, checked_at)
            values (1, 'razorpay', 75010, 'booking-1-x', $1, 'razorpay', now() - interval '20 minutes',
                now() - interval '20 minutes')",
        )
        .bind(order.id)
        .execute(&world.pool)
        .await
        .unwrap();
        world
    }

    fn order(&self) -> String {
        self.razorpay.orders()[0]["id"].as_str().unwrap().to_owned()
    }

    async fn run(&self, action: &str) -> Value {
        run(&self.app, action).await
    }

    /// The customer has paid and cancelled.
    async fn paid_and_cancelled(&self) -> String {
        let payment = self.razorpay.checkout(&self.order(), Outcome::Captured).payment_id;
        self.run("reconcile_payments").await;
        let mut transaction = self.app.database.begin().await.unwrap();
        let booking = change::lock(&mut transaction, 1).await.unwrap();
        change::set_status(&mut transaction, booking, BookingStatus::Cancelled, &Actor::Customer, "").await.unwrap();
        transaction.commit().await.unwrap();
        payment
    }

    /// Payment status, states of the refunds, and the timeline.
    async fn facts(&self) -> Value {
        sqlx::query_scalar(
            "select json_build_array(payment_status,
                (select coalesce(json_agg(state order by id), '[]') from refunds),
                (select coalesce(json_agg(event order by id), '[]') from booking_events))
            from bookings",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    async fn make_due(&self) {
        sqlx::query("update outbox set due_at = now()").execute(&self.pool).await.unwrap();
    }
}

async fn run(app: &App, action: &str) -> Value {
    let event: Event = serde_json::from_value(json!({ "action": action })).unwrap();
    json!(app.handle(event).await.unwrap())
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn reconciliation_alone_settles_what_was_paid(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.checkout(&world.order(), Outcome::Authorized);
    let expected = |asked, applied| {
        json!({
            "action": "reconcile_payments", "asked": asked, "applied": applied, "refunds": 0, "mismatched": 0,
            "paid_without_money": 0, "money_without_paid": 0, "failed_refunds": 0
        })
    };
    assert_eq!(world.run("reconcile_payments").await, expected(1, 1));
    assert_eq!(world.facts().await, json!(["completed", [], ["paid"]]));
    assert_eq!(world.run("reconcile_payments").await, expected(0, 0), "a settled order is not asked for again");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_whose_number_was_lost_is_found_by_its_receipt(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::query("update payments set order_id = null").execute(&world.pool).await.unwrap();
    world.razorpay.checkout(&world.order(), Outcome::Captured);
    assert_eq!(world.run("reconcile_payments").await["applied"], 1);
    assert_eq!(world.facts().await[0], "completed");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_does_not_match_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    let checkout = world.razorpay.checkout(&world.order(), Outcome::Captured);
    world.razorpay.change_payment(&checkout.payment_id, |payment| payment["amount"] = json!(100));
    assert_eq!(world.run("reconcile_payments").await["mismatched"], 1);
    assert_eq!(world.facts().await[0], "pending");
    sqlx::query("update bookings set payment_status = 'completed'").execute(&world.pool).await.unwrap();
    assert_eq!(world.run("reconcile_payments").await["paid_without_money"], 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refund_is_done_once_by_many_jobs_at_once(pool: PgPoolOptions, options: PgConnectOptions) {
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
async fn a_refund_whose_answer_was_lost_is_repeated_and_done_once(pool: PgPool) {
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
async fn a_refund_that_razorpay_refuses_is_told_and_can_be_asked_for_again(pool: PgPool) {
    let world = World::new(pool).await;
    world.paid_and_cancelled().await;
    world.razorpay.change(|settings| settings.has_balance = false);
    assert_eq!(world.run("deliver_outbox").await["failed"], 1);
    assert_eq!(world.facts().await[1], json!(["failed"]));
    assert_eq!(world.run("reconcile_payments").await["failed_refunds"], 1);
    world.razorpay.change(|settings| settings.has_balance = true);
    let mut transaction = world.app.database.begin().await.unwrap();
    let booking = change::lock(&mut transaction, 1).await.unwrap();
    assert_eq!(payments::left(&mut transaction, 1).await.unwrap(), 75010);
    payments::queue(&mut transaction, &booking, 1, 75010, "again", &Actor::System).await.unwrap();
    transaction.commit().await.unwrap();
    world.run("deliver_outbox").await;
    assert_eq!(world.facts().await[0], "refunded");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_has_expired_is_swept_away(pool: PgPool) {
    let world = World::new(pool).await;
    sqlx::raw_sql(
        "insert into idempotency_keys (scope, key_sha256, request_sha256, expires_at)
            values ('s', 'old', '', now() - interval '1 day'), ('s', 'new', '', now() + interval '1 day');
        insert into users (username) values ('u');
        insert into user_sessions (user_id, descope_user_id, expires_at)
            values (1, 'U1', now() - interval '31 days'), (1, 'U1', now() + interval '1 day');
        insert into session_tokens (token_sha256, kind, session_id, expires_at)
            values (sha256('old'), 'session', 2, now() - interval '2 hours'), (sha256('new'), 'session', 2, now());
        insert into payment_events (event_id, event, received_at) values ('old', 'x', now() - interval '31 days')",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let swept = |count| {
        json!({
            "action": "sweep", "idempotency_keys": count, "session_tokens": count, "user_sessions": count,
            "payment_events": count
        })
    };
    assert_eq!(world.run("sweep").await, swept(1));
    assert_eq!(world.run("sweep").await, swept(0));
}

//! Paying online as the browser, Razorpay and a hurried double-clicker do it, with Razorpay's stand-in.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::time::Duration;

use futures::future::join_all;
use payments::{App, DEADLINE, Gateway};
use razorpay::{Checkout, Fault, Outcome, StandIn, Webhook};
use serde_json::{Value, json};
use shared::{
    bookings::{
        change::{self, Actor},
        status::BookingStatus,
    },
    database::{Database, MIGRATOR},
    razorpay::{Razorpay, WebhookSecrets},
    testing::{self, Answer, Client},
};
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};

const CREATE: &str = "/api/payments/razorpay/create-order/";
const VERIFY: &str = "/api/payments/razorpay/verify/";
const WEBHOOK: &str = "/api/payments/razorpay/webhook/";

struct World {
    client: Client,
    razorpay: StandIn,
    pool: PgPool,
}

fn function(database: Database, gateway: Gateway) -> Client {
    let app = App {
        database: database.clone(),
        gateway,
        throttle: testing::no_throttle(&testing::redis()),
        orders_per_address: payments::orders_per_address().unwrap(),
    };
    Client::within(payments::router(app), database, DEADLINE)
}

fn gateway(stand_in: &StandIn) -> Gateway {
    let razorpay = Razorpay::new(&stand_in.url(), stand_in.key_id(), stand_in.key_secret()).unwrap();
    Gateway::enabled(razorpay, WebhookSecrets::new([razorpay::WEBHOOK_SECRET.to_owned(), "before".to_owned()]))
}

impl World {
    /// A shop with one booking, number 1, of 750.10 rupees in cash.
    async fn new(pool: PgPool) -> Self {
        testing::import_catalogue(&pool, &testing::redis()).await;
        let razorpay = StandIn::start().await;
        let world = Self { client: function(Database::from(pool.clone()), gateway(&razorpay)), razorpay, pool };
        world.book().await;
        world
    }

    async fn book(&self) {
        sqlx::raw_sql(
            "begin;
            insert into customers (phone) values ('+919876543210') on conflict do nothing;
            insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
                appointment_date, appointment_time, slot_times, duration_minutes, total_paise, payment_method,
                access_token_sha256, access_token_expires_at)
            select 'R' || (select count(*) from bookings), min(id), 'John Doe', 7, 'shop', current_date + 7, '10:00',
                array['10:00'::time], 30, 75010, 'cash', sha256('token'), now() + interval '30 days'
            from customers;
            insert into booking_services (booking_id, service_id, price_paise) select max(id), 4, 75010 from bookings;
            insert into slot_usage (pool, date, time, used, capacity) values ('shop', current_date + 7, '10:00', 1, 3)
            on conflict (pool, date, time) do update set used = slot_usage.used + 1;
            commit",
        )
        .execute(&self.pool)
        .await
        .unwrap();
    }

    async fn order(&self) -> String {
        let answer = self.client.post(CREATE, &json!({ "booking_id": 1 })).await;
        answer.body["data"]["order_id"].as_str().unwrap().to_owned()
    }

    async fn verify(&self, checkout: &Checkout) -> Answer {
        let body = json!({
            "razorpay_order_id": checkout.order_id, "razorpay_payment_id": checkout.payment_id,
            "razorpay_signature": checkout.signature
        });
        self.client.post(VERIFY, &body).await
    }

    async fn deliver(&self, webhook: &Webhook) -> Answer {
        deliver(&self.client, webhook).await
    }

    /// Payment status, method, what was captured and what of it goes back, and the timeline.
    async fn facts(&self) -> Value {
        sqlx::query_scalar(
            "select json_build_array(payment_status, payment_method,
                (select coalesce(sum(amount_paise), 0) from captures where state = 'captured' and pays_booking),
                (select coalesce(sum(refunded_paise), 0) from captures),
                (select coalesce(json_agg(event order by id), '[]') from booking_events where booking_id = bookings.id))
            from bookings where id = 1",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    async fn cancel(&self) {
        let database = Database::from(self.pool.clone());
        let mut transaction = database.begin().await.unwrap();
        let booking = change::lock(&mut transaction, 1).await.unwrap();
        change::set_status(&mut transaction, booking, BookingStatus::Cancelled, &Actor::Customer, "").await.unwrap();
        transaction.commit().await.unwrap();
    }
}

async fn deliver(client: &Client, webhook: &Webhook) -> Answer {
    let mut client = client.clone();
    for (name, value) in &webhook.headers {
        client = client.with(name, value);
    }
    client.send("POST", WEBHOOK, Some(&webhook.body)).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn while_payments_are_disabled_nothing_can_be_paid_online(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let client = function(Database::from(pool), Gateway::disabled());
    let checkout = json!({ "razorpay_order_id": "o", "razorpay_payment_id": "p", "razorpay_signature": "s" });
    for (path, body) in [(CREATE, json!({ "booking_id": 1 })), (VERIFY, checkout)] {
        let answer = client.post(path, &body).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("PAYMENTS_DISABLED")));
        assert_eq!(answer.body["message"], "Razorpay payment is currently disabled. Please use cash payment.");
    }
    assert!(world.razorpay.orders().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_has_one_open_order_whoever_asks_and_however_often(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let body = json!({ "booking_id": "1" });
    let first = world.client.post(CREATE, &body).await;
    let order_id = world.razorpay.orders()[0]["id"].clone();
    assert_eq!(
        (first.status, first.body),
        (
            201,
            json!({
                "error": false, "message": "Payment order created successfully",
                "data": {
                    "order_id": order_id, "amount": 750.10, "amount_paise": 75010, "currency": "INR",
                    "key_id": razorpay::KEY_ID
                }
            })
        )
    );
    let clients: Vec<Client> =
        (0..10).map(|_| function(Database::new(options.clone()), gateway(&world.razorpay))).collect();
    for answer in join_all(clients.iter().map(|client| client.post(CREATE, &body))).await {
        assert_eq!((answer.status, &answer.body["data"]["order_id"]), (200, &order_id));
    }
    world.book().await;
    let of_two = json!({ "booking_id": 2 });
    let answers = join_all(clients.iter().map(|client| client.post(CREATE, &of_two))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((made, world.razorpay.orders().len()), (1, 2));
    assert_eq!(world.client.post(CREATE, &json!({ "booking_id": 99 })).await.status, 404);
    assert_eq!(
        world.client.post(CREATE, &json!({})).await.body["details"],
        json!({ "booking_id": ["This field is required."] })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_order_whose_answer_was_lost_is_found_by_its_receipt(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.spoil("/v1/orders", Fault::lost().method("POST"));
    let answer = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((answer.status, world.razorpay.orders().len()), (201, 1), "{}", answer.text);
    // And by whoever asks next, if we die before we know.
    sqlx::query("update payments set order_id = null").execute(&world.pool).await.unwrap();
    let again = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!(again.body["data"]["order_id"], answer.body["data"]["order_id"]);
    assert_eq!(world.razorpay.orders().len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_payment_is_verified_as_often_as_one_likes(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Authorized);
    for _ in 0..3 {
        let answer = world.verify(&checkout).await;
        assert_eq!(
            (answer.status, &answer.body["data"]),
            (200, &json!({ "booking_id": 1, "payment_status": "completed" }))
        );
    }
    assert_eq!(world.razorpay.payment(&checkout.payment_id).unwrap()["status"], "captured");
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75010, 0, ["paid"]]));
    let paid = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((paid.status, &paid.body["code"]), (409, &json!("ALREADY_PAID")));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_razorpay_has_not_signed_or_does_not_confirm_pays_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    let good = world.razorpay.checkout(&order, Outcome::Captured);
    let with = |order_id: &str, payment_id: &str, signature: &str| Checkout {
        order_id: order_id.to_owned(),
        payment_id: payment_id.to_owned(),
        signature: signature.to_owned(),
    };
    let unknown = world.verify(&with("order_none", &good.payment_id, &good.signature)).await;
    assert_eq!((unknown.status, &unknown.body["message"]), (404, &json!("Payment record not found.")));
    let signed = |payment: &str| razorpay::sign(razorpay::KEY_SECRET, format!("{order}|{payment}").as_bytes());
    for forged in [
        with(&order, &good.payment_id, &good.signature.replace('a', "b").replace('1', "2")),
        with(&order, &good.payment_id, "x"),
        with(&order, "pay_another000000", &good.signature),
        with(&order, "pay_unknown000000", &signed("pay_unknown000000")),
    ] {
        let answer = world.verify(&forged).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INVALID_SIGNATURE")), "{}", answer.text);
        assert_eq!(answer.body["message"], "Invalid payment signature");
    }
    world.razorpay.change_payment(&good.payment_id, |payment| payment["amount"] = json!(100));
    assert_eq!(world.verify(&good).await.status, 400, "another amount");
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn webhooks_alone_settle_in_any_order_and_thirty_at_once(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhooks = world.razorpay.webhooks();
    assert_eq!(webhooks.len(), 3);
    let clients: Vec<Client> =
        (0..30).map(|_| function(Database::new(options.clone()), gateway(&world.razorpay))).collect();
    for webhook in webhooks.iter().rev() {
        for answer in join_all(clients.iter().map(|client| deliver(client, webhook))).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    assert_eq!(world.facts().await, json!(["completed", "razorpay", 75010, 0, ["paid"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_webhook_counts_only_as_it_was_signed(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhook = world.razorpay.webhooks().into_iter().find(|webhook| webhook.event == "payment.captured").unwrap();
    let respaced = webhook.body.replacen(',', ", ", 1);
    let signature = webhook.header("X-Razorpay-Signature").unwrap().to_owned();
    for (body, signature) in
        [(respaced.as_str(), signature.as_str()), (webhook.body.as_str(), ""), (&webhook.body, "00")]
    {
        let answer = world.client.with("X-Razorpay-Signature", signature).send("POST", WEBHOOK, Some(body)).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("INVALID_SIGNATURE")));
    }
    let before = razorpay::sign("before", respaced.as_bytes());
    let rotated = world.client.with("X-Razorpay-Signature", &before).send("POST", WEBHOOK, Some(&respaced)).await;
    assert_eq!(rotated.status, 200, "signed with the secret before");
    assert_eq!(world.facts().await[0], "completed");
    for other in [r#"{"event":"payment.downtime.started","payload":{"payment.downtime":{}}}"#, "[]", "nothing"] {
        let signature = razorpay::sign(razorpay::WEBHOOK_SECRET, other.as_bytes());
        let answer = world.client.with("X-Razorpay-Signature", &signature).send("POST", WEBHOOK, Some(other)).await;
        assert_eq!(answer.status, 200, "{other}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nothing_is_half_applied_and_the_event_may_come_again(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.razorpay.checkout(&order, Outcome::Captured);
    let webhook = world.razorpay.webhooks().into_iter().find(|webhook| webhook.event == "order.paid").unwrap();
    sqlx::raw_sql("alter table outbox rename to outbox_away").execute(&world.pool).await.unwrap();
    assert_eq!(world.deliver(&webhook).await.status, 500);
    sqlx::raw_sql("alter table outbox_away rename to outbox").execute(&world.pool).await.unwrap();
    assert_eq!(world.facts().await, json!(["pending", "cash", 0, 0, []]));
    assert_eq!(world.deliver(&webhook).await.status, 200);
    assert_eq!(world.facts().await[0], "completed");
}

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
async fn money_for_a_cancelled_booking_goes_back(pool: PgPool) {
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
async fn what_was_paid_online_goes_back_when_the_booking_is_cancelled(pool: PgPool) {
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
async fn a_second_payment_of_a_paid_booking_goes_back(pool: PgPool) {
    let world = World::new(pool).await;
    let order = world.order().await;
    world.verify(&world.razorpay.checkout(&order, Outcome::Captured)).await;
    let second = razorpay::Attempt { order_id: order, second: true, ..razorpay::Attempt::default() };
    let second = world.razorpay.pay(&razorpay::Attempt { outcome: Some(Outcome::Captured), ..second }).unwrap();
    for _ in 0..2 {
        assert_eq!(world.verify(&second).await.status, 200);
    }
    let expected = json!(["completed", "razorpay", 75010, 75010, ["paid", "refund_requested"]]);
    assert_eq!(world.facts().await, expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_slow_or_broken_razorpay_is_told_as_such_and_nothing_is_lost(pool: PgPool) {
    let world = World::new(pool).await;
    world.razorpay.spoil("/v1/orders", Fault::delay(Duration::from_secs(6)).method("POST"));
    let late = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((late.status, &late.body["code"]), (504, &json!("UPSTREAM_TIMEOUT")));
    world.razorpay.spoil("/v1/orders", Fault::server_error().times(10));
    let broken = world.client.post(CREATE, &json!({ "booking_id": 1 })).await;
    assert_eq!((broken.status, &broken.body["code"]), (502, &json!("UPSTREAM_ERROR")));
    world.razorpay.clear_faults();
    let order = world.order().await;
    let checkout = world.razorpay.checkout(&order, Outcome::Captured);
    world.razorpay.spoil(&format!("/v1/payments/{}", checkout.payment_id), Fault::rate_limited());
    assert_eq!(world.verify(&checkout).await.status, 429);
    assert_eq!(world.verify(&checkout).await.status, 200);
    assert_eq!(world.facts().await[0], "completed");
}

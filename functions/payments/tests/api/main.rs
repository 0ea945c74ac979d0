//! Online payment: requests of the browser and webhooks, also repeated and concurrent ones, with Razorpay's stand-in.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod arrivals;
mod confirmation;
mod disputes;
mod limits;
mod misfits;
mod orders;
mod property;
mod refunds;
mod slowness;
mod switched_off;
mod verification;
mod webhooks;

use payments::{App, DEADLINE, Gateway};
use razorpay_stand_in::{Checkout, StandIn, Webhook};
use serde_json::{Value, json};
use shared::ids::BookingId;
use shared::{
    bookings::{Actor, booking, status::BookingStatus, transition},
    database::Database,
    razorpay::{Razorpay, WebhookSecrets},
};
use sqlx::PgPool;
use testing::{Answer, Client};

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
        limits: payments::Limits::from_env().unwrap(),
    };
    Client::within(payments::router(app), database, DEADLINE)
}

fn gateway(stand_in: &StandIn) -> Gateway {
    let razorpay = Razorpay::new(&stand_in.url(), stand_in.key_id(), stand_in.key_secret()).unwrap();
    Gateway::enabled(razorpay, WebhookSecrets::new([razorpay_stand_in::WEBHOOK_SECRET.to_owned(), "before".to_owned()]))
}

impl World {
    /// A shop with one booking, number 1, of 750.10 rupees in cash.
    async fn new(pool: PgPool) -> Self {
        testing::import_catalogue(&pool, &testing::redis()).await;
        let world = Self::without_booking(pool).await;
        world.book().await;
        world
    }

    async fn without_booking(pool: PgPool) -> Self {
        let razorpay = StandIn::start().await;
        Self { client: function(Database::from(pool.clone()), gateway(&razorpay)), razorpay, pool }
    }

    /// Makes a booking; returns its id.
    async fn book(&self) -> i64 {
        sqlx::raw_sql(
            "begin;
            insert into customers (phone) values ('+919876543210') on conflict do nothing;
            insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
                appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                payment_method, access_token_sha256, access_token_expires_at)
            select 'R' || (select count(*) from bookings), min(id), 'John Doe', 7, 'shop', current_date + 7, '10:00',
                60, quarters('10:00', 60), 30, 75010, 'cash', sha256('token'), now() + interval '30 days'
            from customers;
            insert into booking_services (booking_id, service_id, price_paise) select max(id), 4, 75010 from bookings;
            insert into slot_usage (pool, date, time, used, capacity)
            select 'shop', current_date + 7, unnest(quarters('10:00', 60)), 1, 100000
            on conflict (pool, date, time) do update set used = slot_usage.used + 1;
            commit",
        )
        .execute(&self.pool)
        .await
        .unwrap();
        sqlx::query_scalar("select max(id) from bookings").fetch_one(&self.pool).await.unwrap()
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

    /// Payment status, method, the amounts captured and refunded or queued for refund, and the timeline.
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

    /// Delivers these webhooks in their order; each must be accepted.
    async fn deliver_all(&self, events: impl IntoIterator<Item = Webhook>) {
        for webhook in events {
            assert_eq!(self.deliver(&webhook).await.status, 200, "{}", webhook.event);
        }
    }

    /// Refunds an amount in paise as from Razorpay's dashboard.
    async fn refund_in_dashboard(&self, payment_id: &str, amount: i64) {
        let razorpay =
            Razorpay::new(&self.razorpay.url(), razorpay_stand_in::KEY_ID, razorpay_stand_in::KEY_SECRET).unwrap();
        razorpay.refund(payment_id, amount, "made-in-the-dashboard").await.unwrap();
    }

    async fn cancel(&self) {
        let database = Database::from(self.pool.clone());
        let mut transaction = database.begin().await.unwrap();
        let booking = booking::lock(&mut transaction, BookingId(1)).await.unwrap();
        transition::set_status(&mut transaction, booking, BookingStatus::Cancelled, &Actor::Customer, "")
            .await
            .unwrap();
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

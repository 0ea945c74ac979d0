//! The scheduled jobs: run concurrently, interrupted and late, with Razorpay's stand-in.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod messages;
mod outbox;
mod reconciliation;
mod restore;
mod runs;
mod settlements;
mod sweep;

use jobs::{App, Event};
use razorpay_stand_in::{Outcome, StandIn};
use serde_json::{Value, json};
use shared::ids::{BookingId, CaptureId};
use shared::payments::refunds;
use shared::{
    bookings::{Actor, booking, status::BookingStatus, transition},
    database::Database,
    razorpay::Razorpay,
};
use sqlx::PgPool;

struct World {
    app: App,
    razorpay: StandIn,
    pool: PgPool,
}

fn app(database: Database, stand_in: &StandIn) -> App {
    let razorpay = Razorpay::new(&stand_in.url(), stand_in.key_id(), stand_in.key_secret()).unwrap();
    App { database, razorpay: Some(razorpay), people: None, carriers: None, plan: shared::messages::Plan::default() }
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
                appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                payment_method, access_token_sha256, access_token_expires_at)
            select 'R1', id, 'John Doe', 7, 'shop', current_date + 7, '10:00', 60, quarters('10:00', 60), 30, 75010, 'cash',
                sha256('token'), now() + interval '30 days' from customers;
            insert into booking_services (booking_id, service_id, price_paise) values (1, 4, 75010);
            insert into slot_usage (pool, date, time, used, capacity)
            select 'shop', current_date + 7, unnest(quarters('10:00', 60)), 1, 3;
            commit",
        )
        .execute(&world.pool)
        .await
        .unwrap();
        let order = world.app.razorpay.as_ref().unwrap().create_order(75010, "INR", "booking-1-x").await.unwrap();
        sqlx::query(
            "insert into payments (booking_id, method, amount_paise, receipt, order_id, actor, created_at, updated_at, checked_at)
            select 1, 'razorpay', 75010, 'booking-1-x', $1, 'razorpay', at, at, at
            from (select now() - interval '20 minutes' as at) as opened",
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

    /// The customer pays and cancels; returns the payment's id.
    async fn paid_and_cancelled(&self) -> String {
        let payment = self.razorpay.checkout(&self.order(), Outcome::Captured).payment_id;
        self.run("reconcile_payments").await;
        let mut transaction = self.app.database.begin().await.unwrap();
        let booking = booking::lock(&mut transaction, BookingId(1)).await.unwrap();
        transition::set_status(&mut transaction, booking, BookingStatus::Cancelled, &Actor::Customer, "")
            .await
            .unwrap();
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

    /// Makes another booking with an order as old; returns the order's id.
    async fn another_order(&self) -> String {
        let count: i64 = sqlx::query_scalar("select count(*) from bookings").fetch_one(&self.pool).await.unwrap();
        let receipt = format!("booking-{}-x", count + 1);
        let order = self.app.razorpay.as_ref().unwrap().create_order(75010, "INR", &receipt).await.unwrap();
        sqlx::query(
            "with booking as (
                insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
                    appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                    payment_method, access_token_sha256, access_token_expires_at)
                select $1, customer_id, 'John Doe', 7, 'shop', appointment_date, appointment_time, occupied_minutes, slot_times, 30,
                    75010, 'cash', access_token_sha256, access_token_expires_at
                from bookings where id = 1
                returning id
            ), line as (
                insert into booking_services (booking_id, service_id, price_paise) select id, 4, 75010 from booking
            )
            insert into payments (booking_id, method, amount_paise, receipt, order_id, actor, created_at, updated_at, checked_at)
            select id, 'razorpay', 75010, $1, $2, 'razorpay', at, at, at
            from booking, (select now() - interval '20 minutes' as at) as opened",
        )
        .bind(&receipt)
        .bind(&order.id)
        .execute(&self.pool)
        .await
        .unwrap();
        order.id
    }

    /// Queues a refund of the first payment, in paise.
    async fn queue(&self, amount: i64) {
        let mut transaction = self.app.database.begin().await.unwrap();
        let booking = booking::lock(&mut transaction, BookingId(1)).await.unwrap();
        refunds::queue(&mut transaction, &booking, CaptureId(1), amount, "asked for", &Actor::System).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn make_due(&self) {
        sqlx::query("update outbox set due_at = now()").execute(&self.pool).await.unwrap();
    }
}

async fn run(app: &App, action: &str) -> Value {
    let event: Event = serde_json::from_value(json!({ "action": action })).unwrap();
    json!(app.handle(event).await.unwrap())
}

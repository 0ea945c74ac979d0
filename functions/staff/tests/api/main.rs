//! The staff's requests to the shop's bookings, which are refused to all other callers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod access;
mod cancelling;
mod changing;
mod keys;
mod listing;
mod logs;
mod money;
mod moving;
mod paging;
mod stats;

use chrono::{NaiveDate, Weekday};
use descope_stand_in::StandIn;
use serde_json::{Value, json};
use shared::{
    database::Database, descope::Channel, payments, razorpay::Payment, redis::Redis, session::Sessions,
    throttle::Throttle,
};
use sqlx::PgPool;
use staff::App;
use testing::{Answer, Client, STAFF_KEY};

fn client(database: Database, sessions: Sessions, throttle: &Throttle) -> Client {
    let staff_keys = testing::staff_keys(&database, throttle);
    Client::new(staff::router(App { database: database.clone(), sessions, staff_keys }), database)
}

/// A caller without credentials. The shop is that of `local/catalogue/`: three bays, two crews, slots of an hour.
async fn shop(pool: &PgPool) -> Client {
    let redis = testing::redis();
    testing::import_catalogue(pool, &redis).await;
    let database = Database::from(pool.clone());
    client(database.clone(), testing::no_sessions(&database), &testing::no_throttle(&redis))
}

/// A caller with the key of that shop's desk.
async fn desk(pool: &PgPool) -> Client {
    shop(pool).await.with("X-API-Key", STAFF_KEY)
}

/// The shop, and the Descope stand-in where its users sign in.
struct World {
    client: Client,
    descope: StandIn,
    pool: PgPool,
    redis: Redis,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let (descope, redis) = (StandIn::start().await, testing::redis());
        testing::import_catalogue(&pool, &redis).await;
        let database = Database::from(pool.clone());
        let sessions = testing::sessions(&database, &descope, &redis);
        let client = client(database, sessions, &testing::no_throttle(&redis));
        Self { client, descope, pool, redis }
    }

    /// The user with this number, proved here and signed in with these roles.
    async fn user(&self, phone: &str, roles: &[&str]) -> Client {
        let user = self.unproved_user(phone, roles).await;
        user.get("/api/staff/bookings/").await;
        testing::prove_identities(&self.pool).await;
        user
    }

    /// A user who has proved this number to Descope only, signed in with these roles.
    async fn unproved_user(&self, phone: &str, roles: &[&str]) -> Client {
        self.token(phone).await;
        self.descope.set_roles(phone, roles);
        self.client.with("Authorization", &format!("Bearer {}", self.token(phone).await))
    }

    async fn token(&self, phone: &str) -> String {
        let descope = testing::sessions(&Database::from(self.pool.clone()), &self.descope, &self.redis).descope;
        descope.send_code(Channel::Sms, phone).await.unwrap();
        let code = self.descope.inbox(phone)[0].code.clone().unwrap();
        descope.verify_code(Channel::Sms, phone, &code).await.unwrap().session_jwt
    }
}

/// A Monday within the horizon; the shop is open from nine to seven.
fn monday() -> NaiveDate {
    testing::next(Weekday::Mon)
}

/// Inserts a booking like a customer's and returns its id. Fields not in `changes` are those of John Doe: an oil change
/// of half an hour, at the shop, on Monday at ten.
async fn book(pool: &PgPool, changes: &Value) -> i64 {
    let mut booking = json!({
        "name": "John Doe", "phone": "+919876543210", "email": "john@example.com", "location": "shop",
        "date": monday(), "time": "10:00", "status": "pending", "payment": "pending", "paise": 39_000, "method": "cash"
    });
    for (name, value) in changes.as_object().unwrap() {
        booking[name] = value.clone();
    }
    sqlx::query_scalar(
        "
        with wanted as (
            select * from jsonb_to_record($1) as wanted (
                name text, phone text, email text, location service_location, date date, time time,
                status booking_status, payment payment_status, paise bigint, method payment_method
            )
        ), customer as (
            insert into customers (phone) select phone from wanted
            on conflict (phone) do update set phone = excluded.phone
            returning id
        ), booking as (
            insert into bookings (
                reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
                appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                payment_method, payment_status, booking_status, notes, access_token_sha256, access_token_expires_at
            )
            select regexp_replace(upper(left(md5(random()::text), 10)), '.{5}', 'RMB-\\&-'), customer.id, name, email, 7, location,
                'MG Road', date, time, 60, quarters(time, 60), 30, paise, method, payment, status, 'Noisy', sha256('x'), now()
            from wanted, customer
            returning *
        ), line as (
            insert into booking_services (booking_id, service_id, price_paise) select id, 4, total_paise from booking
        ), event as (
            insert into booking_events (booking_id, event, to_status, actor)
            select id, 'created', booking_status, 'customer' from booking
        ), slot as (
            insert into slot_usage (pool, date, time, used, capacity)
            select service_location, appointment_date, unnest(slot_times), 1, 3 from booking
            where booking_status <> 'cancelled'
            on conflict (pool, date, time) do update set used = slot_usage.used + 1
        )
        select id from booking
        ",
    )
    .bind(booking)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Pays the total of a booking by this payment of Razorpay.
async fn pay_online(pool: &PgPool, id: i64, payment_id: &str) {
    let order_id = format!("order_{payment_id}");
    let amount: i64 = sqlx::query_scalar(
        "insert into payments (booking_id, method, amount_paise, receipt, order_id, actor)
        select id, 'razorpay', total_paise, $2, $2, 'razorpay' from bookings where id = $1
        returning amount_paise",
    )
    .bind(id)
    .bind(&order_id)
    .fetch_one(pool)
    .await
    .unwrap();
    let payment: Payment = serde_json::from_value(json!({
        "id": payment_id, "order_id": order_id, "amount": amount, "currency": "INR", "status": "captured"
    }))
    .unwrap();
    let mut transaction = Database::from(pool.clone()).begin().await.unwrap();
    payments::settle(&mut transaction, &order_id, &[payment], &[]).await.unwrap();
    transaction.commit().await.unwrap();
}

fn path_of(id: i64) -> String {
    format!("/api/staff/bookings/{id}/")
}

/// The ids in a list.
fn ids(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["data"].as_array().unwrap().iter().map(|booking| booking["id"].as_i64().unwrap()).collect()
}

/// The timeline of a booking, oldest first: event, from, to, actor.
async fn timeline(pool: &PgPool, id: i64) -> Value {
    let events: Vec<(String, Option<String>, String, String)> = sqlx::query_as(
        "select event, from_status::text, to_status::text, actor from booking_events where booking_id = $1 order by id",
    )
    .bind(id)
    .fetch_all(pool)
    .await
    .unwrap();
    json!(events)
}

/// The used and overbooked capacity of Monday's slot at the shop. First checks that every quarter counts exactly
/// the bookings that are not cancelled.
async fn used(pool: &PgPool, time: &str) -> (i64, i64) {
    let wrong: i64 = sqlx::query_scalar(
        "
        select count(*)
        from slot_usage
        full join (
            select service_location as pool, appointment_date as date, quarter as time, count(*) as held
            from bookings, unnest(quarters(appointment_time, occupied_minutes)) as quarter
            where booking_status <> 'cancelled'
            group by 1, 2, 3
        ) as active using (pool, date, time)
        where coalesce(used, 0) <> coalesce(held, 0)
        ",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(wrong, 0, "quarters that do not count their bookings");
    sqlx::query_as(
        "
        select coalesce(sum(used), 0), coalesce(sum(overbooked), 0) from slot_usage
        where pool = 'shop' and date = $1 and time = $2::time
        ",
    )
    .bind(monday())
    .bind(time)
    .fetch_one(pool)
    .await
    .unwrap()
}

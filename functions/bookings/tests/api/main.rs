//! Bookings and free slots: requests of owners, strangers and staff, also repeated and concurrent ones.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod capacity;
mod changing;
mod counter;
mod creating;
mod failing;
mod hours;
mod idempotency;
mod keys;
mod limits;
mod looking;
mod outside;
mod owning;
mod refusing;
mod round_trips;
mod slots;
mod staff;
mod times;
mod unproved_limits;

use bookings::{App, Limits};
use chrono::{NaiveDate, Weekday};
use serde_json::{Value, json};
use shared::bookings::{own::Cutoff, plan::OnlinePayment, unproved};
use shared::{database::Database, throttle::Throttle};
use sqlx::{PgPool, postgres::PgConnectOptions};
use testing::{Answer, Client};

/// The function on this database, without sign-in.
fn app(database: &Database, throttle: Throttle) -> App {
    App {
        database: database.clone(),
        sessions: testing::no_sessions(database),
        staff_keys: testing::staff_keys(database, &throttle),
        throttle,
        limits: Limits::from_env().unwrap(),
        online: OnlinePayment::Disabled,
        cutoff: Cutoff::from_env().unwrap(),
        unproved: unproved::Limits::OFF,
    }
}

/// A client of the function on this database, without rate limits.
fn client(database: Database) -> Client {
    Client::new(bookings::router(app(&database, testing::no_throttle(&testing::redis()))), database)
}

/// Clients of `count` Lambda environments, each with its own connection.
fn environments(options: &PgConnectOptions, count: usize) -> Vec<Client> {
    (0..count).map(|_| client(Database::new(options.clone()))).collect()
}

/// The shop of `local/catalogue/`: three bays, two crews, slots of an hour.
async fn shop(pool: &PgPool) -> Client {
    testing::import_catalogue(pool, &testing::redis()).await;
    client(Database::from(pool.clone()))
}

/// A Monday within the horizon; the shop is open from nine to seven.
fn monday() -> NaiveDate {
    testing::next(Weekday::Mon)
}

/// A complete booking of an oil change (service 4, half an hour) for an Activa 6G (model 7), at the shop.
fn booking() -> Value {
    json!({
        "customer_name": "John Doe", "customer_phone": "9876543210", "customer_email": "john@example.com",
        "vehicle_model_id": 7, "service_ids": [4], "service_location": "shop", "address": "",
        "appointment_date": monday(), "appointment_time": "10:00:00", "payment_method": "cash", "notes": "Noisy"
    })
}

/// The same with some fields changed; a field set to null is left out.
fn booking_with(changes: &Value) -> Value {
    let mut booking = booking();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            booking.as_object_mut().unwrap().remove(name);
        } else {
            booking[name] = value.clone();
        }
    }
    booking
}

struct Booked {
    path: String,
    token: String,
    answer: Answer,
}

async fn book(client: &Client, body: &Value) -> Booked {
    let answer = client.post("/api/bookings/", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let path = format!("/api/bookings/{}/", answer.body["data"]["id"]);
    let token = answer.body["data"]["access_token"].as_str().unwrap().to_owned();
    Booked { path, token, answer }
}

impl Booked {
    /// A caller who sends this booking's token.
    fn owner(&self, client: &Client) -> Client {
        client.with("X-Booking-Token", &self.token)
    }
}

/// The used capacity of one of Monday's slots, according to the database.
async fn used(pool: &PgPool, location: &str, time: &str) -> i64 {
    sqlx::query_scalar(
        "select coalesce(sum(used), 0) from slot_usage where pool = $1::service_location and date = $2 and time = $3::time",
    )
    .bind(location)
    .bind(monday())
    .bind(time)
    .fetch_one(pool)
    .await
    .unwrap()
}

async fn count(pool: &PgPool, table: &str) -> i64 {
    sqlx::query_scalar(&format!("select count(*) from {table}")).fetch_one(pool).await.unwrap()
}

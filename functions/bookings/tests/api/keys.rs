//! Idempotency keys in the body, the callers that they belong to, and the limits that a retry passes.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    throttle::{Limit, Throttle},
};
use sqlx::PgPool;
use testing::{Client, STAFF_KEY};

use super::{App, Limits, app, booking_with, count, owning::World, shop};

fn keyed(changes: &Value) -> Value {
    let mut booking = booking_with(changes);
    booking["idempotency_key"] = json!("tap");
    booking
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_retry_with_the_key_in_its_body_books_once(pool: PgPool) {
    let client = shop(&pool).await;
    let first = client.post("/api/bookings/", &keyed(&json!({}))).await;
    let retry = client.at("203.0.113.77").post("/api/bookings/", &keyed(&json!({}))).await;
    assert_eq!((first.status, retry.status, &retry.text), (201, 201, &first.text));
    assert_eq!(retry.header("idempotency-replayed"), "true");
    assert_eq!(count(&pool, "bookings").await, 1);
    let reused = client.post("/api/bookings/", &keyed(&json!({ "appointment_time": "11:00" }))).await;
    assert_eq!((reused.status, &reused.body["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")));
    // A header wins.
    let other = client.with("Idempotency-Key", "other").post("/api/bookings/", &keyed(&json!({}))).await;
    assert_eq!((other.status, other.header("idempotency-replayed")), (201, ""));
    let long = client.post("/api/bookings/", &booking_with(&json!({ "idempotency_key": "x".repeat(256) }))).await;
    let details = json!({ "idempotency_key": ["Ensure this field has no more than 255 characters."] });
    assert_eq!((long.status, &long.body["details"]), (400, &details));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_of_different_callers_never_meet(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner_of("+919876543210").await;
    let other = world.owner_of("+919876543211").await;
    let staff = world.client.with("X-API-Key", STAFF_KEY);
    let at = |time: &str, phone: &str| keyed(&json!({ "appointment_time": time, "customer_phone": phone }));
    let asked = [
        (&world.client, at("09:00", "9876543210")),
        (&world.client, at("10:00", "9876543211")),
        (&owner, at("11:00", "9876543210")),
        (&other, at("12:00", "9876543210")),
        (&staff, at("13:00", "9876543210")),
    ];
    for (caller, body) in &asked {
        let answer = caller.post("/api/bookings/", body).await;
        assert_eq!((answer.status, answer.header("idempotency-replayed")), (201, ""), "{}", answer.text);
    }
    for (caller, body) in &asked {
        let again = caller.post("/api/bookings/", body).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"), "{}", again.text);
    }
    assert_eq!(count(&world.pool, "bookings").await, 5);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_retry_passes_the_limits_of_bookings(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let database = Database::from(pool.clone());
    let limits = Limits {
        bookings_per_phone: Limit::new("bookings-per-phone", 1, Duration::from_hours(1)),
        ..Limits::from_env().unwrap()
    };
    let app = App { limits, ..app(&database, Throttle::new(redis, true)) };
    let client = Client::new(bookings::router(app), database);
    let first = client.post("/api/bookings/", &keyed(&json!({}))).await;
    let second = booking_with(&json!({ "appointment_time": "12:00" }));
    assert_eq!((first.status, client.post("/api/bookings/", &second).await.status), (201, 429));
    let retry = client.post("/api/bookings/", &keyed(&json!({}))).await;
    assert_eq!((retry.status, &retry.text), (201, &first.text));
    assert_eq!(client.post("/api/bookings/", &keyed(&json!({ "notes": "other" }))).await.status, 429);
    // Staff book for all customers from one place.
    let staff = client.with("X-API-Key", STAFF_KEY);
    assert_eq!(staff.post("/api/bookings/", &second).await.status, 201);
}

//! Rate limits of changes, and of tokens that open nothing.

use bookings::{App, Limits};
use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    throttle::Throttle,
};
use sqlx::PgPool;
use testing::Client;

use super::{app, book, booking};

fn limited(pool: &PgPool, redis: shared::redis::Redis) -> Client {
    let database = Database::from(pool.clone());
    let app = App { limits: Limits::from_env().unwrap(), ..app(&database, Throttle::new(redis, true)) };
    Client::new(bookings::router(app), database)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn tokens_that_open_nothing_wait_for_no_lock_and_are_limited_by_ip_address(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let client = limited(&pool, redis);
    let booked = book(&client, &booking()).await;
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("select from bookings for update").execute(&mut *holder).await.unwrap();

    let stranger = client.with("X-Booking-Token", "guess");
    let cancel = format!("{}cancel/", booked.path);
    let timeline = format!("{}timeline/", booked.path);
    let appointment = json!({ "appointment_date": "2026-12-02", "appointment_time": "15:00" });
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(stranger.post(&cancel, &json!({})).await.status);
        statuses.push(stranger.patch(&booked.path, &appointment).await.status);
        statuses.push(stranger.get(&timeline).await.status);
        statuses.push(stranger.post("/api/bookings/999/cancel/", &json!({})).await.status);
    }
    let expected: Vec<u16> = [403, 403, 403, 404].into_iter().cycle().take(30).chain([429, 429]).collect();
    assert_eq!(statuses, expected);
    assert_eq!(stranger.get(&booked.path).await.status, 429, "reads are counted with them");
    holder.rollback().await.unwrap();
    let owner = booked.owner(&client).at("198.51.100.1");
    assert_eq!(owner.post(&cancel, &json!({})).await.status, 200, "the owner elsewhere is not concerned");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_can_be_changed_twenty_times_in_ten_minutes_by_its_owner(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let client = limited(&pool, redis);
    let (first, second) = (book(&client, &booking()).await, book(&client, &booking()).await);
    let stranger = client.with("X-Booking-Token", "guess");
    let cancel = |path: &str| format!("{path}cancel/");
    for number in 0..20 {
        assert_eq!(stranger.post(&cancel(&first.path), &json!({})).await.status, 403);
        let owner = first.owner(&client).at(&format!("198.51.100.{number}"));
        assert_eq!(owner.post(&cancel(&first.path), &json!({})).await.status, 200);
    }
    let refused = first.owner(&client).post(&cancel(&first.path), &json!({})).await;
    assert_eq!((refused.status, &refused.body["code"]), (429, &json!("THROTTLED")));
    assert_eq!(second.owner(&client).post(&cancel(&second.path), &json!({})).await.status, 200);
    assert_eq!(first.owner(&client).get(&first.path).await.status, 200, "reads are no changes");
}

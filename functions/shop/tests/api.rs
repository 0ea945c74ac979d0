//! Shop information as a frontend sees it.
#![expect(clippy::unwrap_used, reason = "test code")]

use serde_json::json;
use shared::{
    cache::Cache,
    database::{Database, MIGRATOR},
    throttle::Limit,
};
use sqlx::PgPool;
use testing::{Client, timeless};

fn client(pool: &PgPool) -> Client {
    let redis = testing::redis();
    let database = Database::from(pool.clone());
    let throttle = testing::no_throttle(&redis);
    let cache = Cache::new(redis, database.clone(), throttle, Limit::public_reads().unwrap());
    Client::new(shop::router(shop::App { cache }), database)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn shop_information_shows_address_and_opening_hours(pool: PgPool) {
    testing::import_catalogue(&pool, &testing::redis()).await;
    let long_day = json!({ "open": "09:00:00", "close": "19:00:00" });
    let answer = client(&pool).get("/api/shop-info/").await;
    assert_eq!(answer.header("cache-control"), "public, max-age=60, stale-while-revalidate=600");
    assert_eq!(
        timeless(answer.body),
        json!({ "error": false, "message": "Shop information retrieved successfully", "data": [{
            "id": 1, "name": "Namma Two-Wheeler Works",
            "address": "Shed 0, Example Cross, 13th Main, Indiranagar, Bengaluru, Karnataka 560038",
            "phone": "+910000000000", "email": "hello@example.com", "latitude": "12.971600", "longitude": "77.641200",
            "opening_time": "09:00:00", "closing_time": "20:00:00",
            "working_days": "Monday, Wednesday, Thursday, Friday, Saturday, Sunday", "is_active": true,
            "hours": {
                "monday": long_day, "tuesday": null, "wednesday": long_day, "thursday": long_day, "friday": long_day,
                "saturday": { "open": "09:00:00", "close": "20:00:00" },
                "sunday": { "open": "10:00:00", "close": "16:00:00" }
            },
            "timezone": "Asia/Kolkata", "slot_minutes": 60, "created_at": "<moment>", "updated_at": "<moment>"
        }] })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_day_that_ends_at_midnight_closes_at_24_00(pool: PgPool) {
    testing::import_catalogue(&pool, &testing::redis()).await;
    sqlx::query("update opening_hours set closes_at = '24:00' where weekday = 1").execute(&pool).await.unwrap();
    let shop = &client(&pool).get("/api/shop-info/").await.body["data"][0];
    assert_eq!(
        (&shop["closing_time"], &shop["hours"]["monday"]),
        (&json!("24:00:00"), &json!({ "open": "09:00:00", "close": "24:00:00" }))
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_route_answers_at_its_old_path_with_and_without_a_slash(pool: PgPool) {
    testing::import_catalogue(&pool, &testing::redis()).await;
    let client = client(&pool);
    let first = client.get("/api/shop-info/").await;
    for path in ["/api/shop-info", "/api/shop/shop-info/", "/api/shop/shop-info"] {
        let other = client.get(path).await;
        assert_eq!((other.status, other.text), (200, first.text.clone()), "{path}");
    }
    assert_eq!(client.get("/api/shop/").await.status, 404);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn before_the_first_import_there_is_no_shop(pool: PgPool) {
    let answer = client(&pool).get("/api/shop-info/").await;
    assert_eq!((answer.status, &answer.body["data"]), (200, &json!([])));
}

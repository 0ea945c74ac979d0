//! Staff at the customers' paths: they see every booking unmasked and cannot change it.

use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::{Client, STAFF_KEY};

use super::{Booked, book, booking, booking_with, monday, owning::World, shop};

/// Checks that this caller sees a booking unmasked and cannot change it.
async fn looks_and_touches_nothing(staff: &Client, booked: &Booked) {
    let mut expected = booked.answer.body["data"].clone();
    expected.as_object_mut().unwrap().remove("access_token");
    (expected["internal_notes"], expected["source"]) = (json!(""), json!("web"));
    let old_path = booked.path.replace("/api/bookings/", "/api/bookings/bookings/");
    for path in [&booked.path, &old_path, &format!("{}?token=wrong", booked.path)] {
        let shown = staff.get(path).await;
        assert_eq!((shown.status, &shown.body["data"]), (200, &expected), "{path}");
        assert_eq!(shown.header("cache-control"), "no-store");
    }
    let timeline = staff.get(&format!("{}timeline/", booked.path)).await;
    assert_eq!((timeline.status, &timeline.body["data"][0]["event"]), (200, &json!("created")));
    assert_eq!(staff.get("/api/bookings/999/").await.status, 404);
    assert_eq!(staff.get("/api/bookings/999/timeline/").await.status, 404);
    let moved = json!({ "appointment_date": monday(), "appointment_time": "15:00" });
    for answer in
        [staff.patch(&booked.path, &moved).await, staff.post(&format!("{}cancel/", booked.path), &json!({})).await]
    {
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("PERMISSION_DENIED")));
    }
    assert_eq!(staff.get(&booked.path).await.body["data"], expected);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_key_shows_every_booking_unmasked(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let staff = client.with("X-API-Key", STAFF_KEY);
    looks_and_touches_nothing(&staff, &booked).await;
    // A list by phone is unmasked only for a session of its owner.
    let masked = staff.get("/api/bookings/?phone=9876543210").await;
    assert_eq!(masked.body["data"][0]["customer"]["name"], "J. D.");
    assert_eq!(staff.get("/api/bookings/").await.body["details"], json!({ "phone": ["This field is required."] }));
    // A staff key sent with the booking's token does not restrict it.
    let moved = json!({ "appointment_date": monday(), "appointment_time": "15:00" });
    assert_eq!(booked.owner(&staff).patch(&booked.path, &moved).await.status, 200);
    assert_eq!(staff.post("/api/bookings/", &booking()).await.status, 201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_session_shows_every_booking_unmasked(pool: PgPool) {
    let world = World::new(pool).await;
    let booked = book(&world.client, &booking_with(&json!({ "customer_phone": "9876543211" }))).await;
    world.owner_of("+919876543210").await;
    world.descope.set_roles("+919876543210", &["staff"]);
    let staff = world.owner_of("+919876543210").await;
    // The role does not count before the number is proved here.
    assert_eq!(staff.get(&booked.path).await.body["data"]["customer"]["name"], "J. D.");
    testing::prove_identities(&world.pool).await;
    looks_and_touches_nothing(&staff, &booked).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_revoked_staff_key_is_refused(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    sqlx::query("insert into staff_keys (label, key_sha256) values ('front desk', sha256('front-key'))")
        .execute(&pool)
        .await
        .unwrap();
    let holder = client.with("X-API-Key", "front-key");
    looks_and_touches_nothing(&holder, &booked).await;
    sqlx::query("update staff_keys set revoked_at = now()").execute(&pool).await.unwrap();
    for path in [&booked.path, &format!("{}timeline/", booked.path)] {
        let refused = holder.get(path).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("API_KEY_INVALID")), "{path}");
        assert_eq!(booked.owner(&holder).get(path).await.status, 403, "a key that is sent must be valid");
    }
}

//! Bookings made by staff: at any minute of the opening hours, by force into a full time, with their name and source.

use chrono::{Days, Weekday};
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::STAFF_KEY;

use super::{book, booking_with, monday, owning::World, shop};

#[sqlx::test(migrator = "MIGRATOR")]
async fn staff_book_at_any_minute_of_the_opening_hours_however_far(pool: PgPool) {
    let client = shop(&pool).await;
    let staff = client.with("X-API-Key", STAFF_KEY);
    let far = testing::next(Weekday::Mon) + Days::new(140);
    let at = |time: &str| booking_with(&json!({ "appointment_date": far, "appointment_time": time }));
    let booked = book(&staff, &at("10:37")).await;
    let data = &booked.answer.body["data"];
    assert_eq!((&data["source"], &data["internal_notes"]), (&json!("counter"), &json!("")));
    let timeline = staff.get(&format!("{}timeline/", booked.path)).await;
    assert_eq!(timeline.body["data"][0]["actor"], "staff:desk");
    let closed = staff.post("/api/bookings/", &at("20:00")).await;
    assert_eq!(
        (closed.status, &closed.body["details"]["appointment_time"]),
        (400, &json!(["The shop is open from 09:00 to 19:00 on this day."]))
    );
    assert_eq!(client.post("/api/bookings/", &at("10:00")).await.status, 400, "customers stay within the horizon");
    let own = booked.owner(&client).get(&booked.path).await;
    assert_eq!((own.status, own.body["data"].get("source"), own.body["data"].get("internal_notes")), (200, None, None));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn only_staff_force_a_full_time(pool: PgPool) {
    let client = shop(&pool).await;
    let staff = client.with("X-API-Key", STAFF_KEY);
    for _ in 0..3 {
        book(&client, &booking_with(&json!({}))).await;
    }
    let forced = booking_with(&json!({ "force": true }));
    assert_eq!(client.post("/api/bookings/", &forced).await.body["code"], "SLOT_FULL");
    assert_eq!(staff.post("/api/bookings/", &booking_with(&json!({}))).await.body["code"], "SLOT_FULL");
    let booked = book(&staff, &forced).await;
    let timeline = staff.get(&format!("{}timeline/", booked.path)).await.body;
    let events: Vec<&Value> = timeline["data"].as_array().unwrap().iter().map(|entry| &entry["event"]).collect();
    assert_eq!(events, ["created", "overbooked"]);
    assert_eq!(timeline["data"][1]["actor"], "staff:desk");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_session_books_at_the_counter_and_a_customer_s_does_not(pool: PgPool) {
    let world = World::new(pool).await;
    world.owner_of("+919876543212").await;
    world.descope.set_roles("+919876543212", &["staff"]);
    let staff = world.owner_of("+919876543212").await;
    staff.get("/api/bookings/").await;
    testing::prove_identities(&world.pool).await;
    let odd = booking_with(&json!({ "appointment_time": "10:37", "source": "phone" }));
    let booked = book(&staff, &odd).await;
    assert_eq!(booked.answer.body["data"]["source"], "phone");
    let timeline = staff.get(&format!("{}timeline/", booked.path)).await;
    assert!(timeline.body["data"][0]["actor"].as_str().unwrap().starts_with("staff:user-"));
    let owner = world.owner_of("+919876543210").await;
    let refused = owner.post("/api/bookings/", &odd).await;
    assert_eq!(
        refused.body["details"],
        json!({
            "source": ["Only staff book at the counter or on the phone."],
            "appointment_time": ["Appointments start every 60 minutes from 09:00."]
        })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_source_is_the_web_or_the_app_that_a_customer_used(pool: PgPool) {
    let client = shop(&pool).await;
    for (body, source) in [(json!({}), "web"), (json!({ "source": "app" }), "app"), (json!({ "source": null }), "web")]
    {
        let booked = book(&client, &booking_with(&body)).await;
        let seen = client.with("X-API-Key", STAFF_KEY).get(&booked.path).await;
        assert_eq!(seen.body["data"]["source"], source);
    }
    let odd = client.post("/api/bookings/", &booking_with(&json!({ "source": "fax" }))).await;
    assert_eq!(odd.body["details"], json!({ "source": ["\"fax\" is not a valid choice."] }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_method_of_payment_may_be_left_out_and_an_empty_e_mail_is_none(pool: PgPool) {
    let client = shop(&pool).await;
    let left_out = booking_with(&json!({ "payment_method": null, "customer_email": "", "appointment_date": monday() }));
    let booked = book(&client, &left_out).await.answer.body;
    assert_eq!(
        (&booked["data"]["payment_method"], &booked["data"]["customer"]["email"]),
        (&json!("cash"), &Value::Null)
    );
}

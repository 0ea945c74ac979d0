//! Moving and cancelling a booking: by its owner only, until work begins.

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::timeless;

use super::{Booked, book, booking, booking_with, monday, shop, used};

fn to(time: &str) -> Value {
    json!({ "appointment_date": monday(), "appointment_time": time })
}

async fn set_status(pool: &PgPool, status: &str) {
    let set = sqlx::query("update bookings set booking_status = $1::booking_status").bind(status);
    set.execute(pool).await.unwrap();
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_move_takes_the_new_slot_and_frees_the_old(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let moved = booked.owner(&client).patch(&booked.path, &to("15:00")).await;
    let mut expected = timeless(booked.answer.body.clone());
    expected["message"] = json!("Booking rescheduled successfully");
    expected["data"].as_object_mut().unwrap().remove("access_token");
    expected["data"]["appointment_time"] = json!("15:00:00");
    expected["data"]["version"] = json!(2);
    assert_eq!((moved.status, timeless(moved.body.clone())), (200, expected));
    assert_ne!(moved.body["data"]["updated_at"], booked.answer.body["data"]["updated_at"]);
    assert_eq!((used(&pool, "shop", "10:00").await, used(&pool, "shop", "15:00").await), (0, 1));
    assert_eq!(booked.owner(&client).get(&booked.path).await.body["data"], moved.body["data"]);

    // Repeating the move changes nothing.
    let again = booked.owner(&client).patch(&booked.path, &to("15:00:00")).await;
    assert_eq!((again.status, &again.body["data"]), (200, &moved.body["data"]));
    assert_eq!(used(&pool, "shop", "15:00").await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_long_job_may_move_onto_slots_that_it_holds_itself(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::query("update shops set shop_capacity = 1").execute(&pool).await.unwrap();
    let booked = book(&client, &booking_with(&json!({ "service_ids": [2] }))).await;
    assert_eq!(booked.owner(&client).patch(&booked.path, &to("11:00")).await.status, 200);
    let hours = ["10:00", "11:00", "12:00", "13:00", "14:00"];
    let mut usage = vec![];
    for hour in hours {
        usage.push(used(&pool, "shop", hour).await);
    }
    assert_eq!(usage, [0, 1, 1, 1, 0]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refused_move_into_a_full_slot_changes_nothing(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    for _ in 0..3 {
        book(&client, &booking_with(&json!({ "appointment_time": "15:00" }))).await;
    }
    let refused = booked.owner(&client).patch(&booked.path, &to("15:00")).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("SLOT_FULL")));
    assert_eq!(refused.body["details"]["available"][0], json!({ "date": monday(), "time": "14:00:00" }));
    assert_eq!((used(&pool, "shop", "10:00").await, used(&pool, "shop", "15:00").await), (1, 3));
    let shown = booked.owner(&client).get(&booked.path).await;
    assert_eq!(shown.body["data"]["appointment_time"], "10:00:00");
    assert_eq!(shown.body["data"]["updated_at"], booked.answer.body["data"]["updated_at"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_move_obeys_the_rules_of_a_booking(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let owner = booked.owner(&client);
    let required = json!(["This field is required."]);
    for (body, details) in [
        (json!({}), json!({ "appointment_date": required, "appointment_time": required })),
        (to("10:30"), json!({ "appointment_time": ["Appointments start every 60 minutes from 09:00."] })),
        (
            json!({ "appointment_date": "2020-01-01", "appointment_time": "10:00" }),
            json!({ "appointment_date": ["The appointment cannot be in the past."] }),
        ),
    ] {
        let refused = owner.patch(&booked.path, &body).await;
        assert_eq!((refused.status, &refused.body["details"]), (400, &details));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_cancelled_booking_frees_its_slot_and_stays_cancelled(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let path = format!("{}cancel/", booked.path);
    let cancelled = booked.owner(&client).post(&path, &json!({ "reason": "Raining" })).await;
    let mut expected = timeless(booked.answer.body.clone());
    expected["message"] = json!("Booking cancelled successfully");
    expected["data"].as_object_mut().unwrap().remove("access_token");
    expected["data"]["booking_status"] = json!("cancelled");
    expected["data"]["version"] = json!(2);
    assert_eq!((cancelled.status, timeless(cancelled.body.clone())), (200, expected));
    assert_eq!(used(&pool, "shop", "10:00").await, 0);
    let reason: String = sqlx::query_scalar("select reason from booking_events where event = 'cancelled'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(reason, "Raining");

    let again = booked.owner(&client).send("POST", &path, None).await;
    assert_eq!((again.status, &again.body["data"]), (200, &cancelled.body["data"]));
    let moved = booked.owner(&client).patch(&booked.path, &to("15:00")).await;
    assert_eq!((moved.status, &moved.body["details"]), (409, &json!({ "allowed": [] })));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_customer_can_move_and_cancel_until_work_begins(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let owner = booked.owner(&client);
    let cancel = format!("{}cancel/", booked.path);
    for (status, allowed) in [("in_progress", json!(["completed", "cancelled"])), ("completed", json!([]))] {
        set_status(&pool, status).await;
        let moved = owner.patch(&booked.path, &to("15:00")).await;
        assert_eq!((moved.status, &moved.body["code"]), (409, &json!("ILLEGAL_TRANSITION")), "{status}");
        assert_eq!(moved.body["details"], json!({ "allowed": allowed }));
        let cancelled = owner.post(&cancel, &json!({})).await;
        assert_eq!((cancelled.status, &cancelled.body["code"]), (409, &json!("ILLEGAL_TRANSITION")), "{status}");
    }
    assert_eq!(used(&pool, "shop", "10:00").await, 1);
    set_status(&pool, "confirmed").await;
    assert_eq!(owner.patch(&booked.path, &to("15:00")).await.status, 200);
    assert_eq!(owner.post(&cancel, &json!({})).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_stranger_changes_nothing(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let other = book(&client, &booking()).await;
    let cancel = format!("{}cancel/", booked.path);
    let timeline = format!("{}timeline/", booked.path);
    let refused = async |client: &testing::Client, status: u16, code: &str| {
        for answer in [
            client.patch(&booked.path, &to("15:00")).await,
            client.patch(&booked.path, &json!({})).await,
            client.post(&cancel, &json!({})).await,
            client.get(&timeline).await,
        ] {
            // An invalid body may be reported first; what matters is that nothing changes.
            let is_fault = answer.status == 400 && status == 403;
            assert!(is_fault || (answer.status, &answer.body["code"]) == (status, &json!(code)), "{}", answer.text);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    };
    refused(&client, 401, "NOT_AUTHENTICATED").await;
    refused(&client.with("X-Booking-Token", ""), 401, "NOT_AUTHENTICATED").await;
    refused(&client.with("X-Booking-Token", "wrong"), 403, "PERMISSION_DENIED").await;
    refused(&other.owner(&client), 403, "PERMISSION_DENIED").await;
    sqlx::query("update bookings set access_token_expires_at = now()").execute(&pool).await.unwrap();
    refused(&booked.owner(&client), 403, "PERMISSION_DENIED").await;

    let version: Vec<i32> = sqlx::query_scalar("select version from bookings").fetch_all(&pool).await.unwrap();
    assert_eq!(version, [1, 1]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_long_timeline_shows_its_newest_500_events(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let events = "insert into booking_events (booking_id, event, from_status, to_status, actor)
        select id, 'rescheduled', 'pending', 'pending', 'customer' from bookings, generate_series(1, 500)";
    sqlx::query(events).execute(&pool).await.unwrap();
    let owner = booked.owner(&client);
    assert_eq!(owner.post(&format!("{}cancel/", booked.path), &json!({})).await.status, 200);
    let timeline = owner.get(&format!("{}timeline/", booked.path)).await;
    let events = timeline.body["data"].as_array().unwrap();
    assert_eq!(
        (events.len(), &events[0]["event"], &events[499]["event"]),
        (500, &json!("rescheduled"), &json!("cancelled"))
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_timeline_lists_events_oldest_first(pool: PgPool) {
    let client = shop(&pool).await;
    let Booked { path, token, .. } = book(&client, &booking()).await;
    let owner = client.with("X-Booking-Token", &token);
    owner.patch(&path, &to("15:00")).await;
    owner.post(&format!("{path}cancel/"), &json!({})).await;
    let event = |event: &str, from: Value, to: &str| json!({ "at": "<moment>", "event": event, "from_status": from, "to_status": to, "actor": "customer" });
    let timeline = owner.get(&format!("{path}timeline/")).await;
    assert_eq!(timeline.header("cache-control"), "no-store");
    assert_eq!(
        timeless(timeline.body),
        json!({ "error": false, "message": "Booking timeline retrieved successfully", "data": [
            event("created", Value::Null, "pending"),
            event("rescheduled", json!("pending"), "pending"),
            event("cancelled", json!("pending"), "cancelled"),
        ] })
    );
    let kinds: Vec<String> = sqlx::query_scalar("select kind from outbox order by id").fetch_all(&pool).await.unwrap();
    assert_eq!(kinds, ["booking_created", "booking_rescheduled", "booking_cancelled"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_route_answers_at_its_old_path_with_and_without_a_slash(pool: PgPool) {
    let client = shop(&pool).await;
    for prefix in ["/api/bookings", "/api/bookings/bookings"] {
        for slash in ["", "/"] {
            let created =
                client.post(&format!("{prefix}{slash}"), &booking_with(&json!({ "appointment_time": "16:00" }))).await;
            assert_eq!(created.status, 201, "{prefix}{slash}");
            let owner = client.with("X-Booking-Token", created.body["data"]["access_token"].as_str().unwrap());
            let path = format!("{prefix}/{}", created.body["data"]["id"]);
            assert_eq!(owner.get(&format!("{path}{slash}")).await.status, 200);
            assert_eq!(owner.patch(&format!("{path}{slash}"), &to("17:00")).await.status, 200);
            assert_eq!(owner.post(&format!("{path}/cancel{slash}"), &json!({})).await.status, 200);
            assert_eq!(owner.get(&format!("{path}/timeline{slash}")).await.body["data"].as_array().unwrap().len(), 3);
            assert_eq!(client.get(&format!("{prefix}{slash}?phone=9876543210")).await.status, 200);
        }
    }
}

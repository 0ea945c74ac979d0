//! Limits of bookings whose number is not proved: per number, per address, per quarter of an hour, and by length.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::{
    bookings::unproved::Limits,
    database::{Database, MIGRATOR},
};
use sqlx::PgPool;
use testing::{Answer, Client, STAFF_KEY};

use super::{App, app, book, booking, booking_with, monday, owning::World, shop, used};

const ALL: Limits =
    Limits { open_per_phone: Some(2), a_day_per_address: Some(10), keep_one_in: Some(3), longest_minutes: Some(360) };

fn limited(database: Database, unproved: Limits) -> Client {
    let throttle = testing::no_throttle(&testing::redis());
    Client::new(bookings::router(App { unproved, ..app(&database, throttle) }), database)
}

async fn limited_shop(pool: &PgPool, unproved: Limits) -> Client {
    shop(pool).await;
    limited(Database::from(pool.clone()), unproved)
}

/// A booking by one of many customers.
fn by(turn: usize, changes: &Value) -> Value {
    let mut booking = booking_with(changes);
    booking["customer_phone"] = json!(format!("98765{turn:05}"));
    booking
}

fn assert_proof_is_needed(answer: &Answer) {
    let sentence =
        "Please sign in with the phone number of this booking to book it. Only a few bookings are taken without.";
    assert_eq!(
        (answer.status, &answer.body["code"], &answer.body["message"]),
        (409, &json!("PROOF_NEEDED"), &json!(sentence))
    );
}

/// Quarters that unproved bookings hold. First checks that each counts exactly these.
async fn unproved(pool: &PgPool) -> i64 {
    let wrong: i64 = sqlx::query_scalar(
        "select count(*) from slot_usage
        full join (
            select service_location as pool, appointment_date as date, quarter as time, count(*) as held
            from bookings, unnest(quarters(appointment_time, occupied_minutes)) as quarter
            where is_unproved group by 1, 2, 3
        ) as active using (pool, date, time)
        where coalesce(unproved, 0) <> coalesce(held, 0)",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(wrong, 0, "quarters that count other unproved bookings than they hold");
    sqlx::query_scalar("select coalesce(sum(unproved), 0) from slot_usage").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_number_has_two_open_unproved_bookings_of_many_at_once(pool: PgPool) {
    shop(&pool).await;
    let limits = Limits { open_per_phone: Some(2), ..Limits::OFF };
    let environments: Vec<Client> =
        (0..8).map(|_| limited(Database::new((*pool.connect_options()).clone()), limits)).collect();
    let counts = testing::Counts::start();
    let times = ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"];
    let bodies = times.map(|time| booking_with(&json!({ "appointment_time": time })));
    let answers =
        join_all(bodies.iter().zip(&environments).map(|(body, client)| client.post("/api/bookings/", body))).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 2);
    assert_eq!(counts.of(shared::metrics::Count::UnprovedBookings), 2, "what raises the alarm");
    answers.iter().filter(|answer| answer.status != 201).for_each(assert_proof_is_needed);
    // One that was cancelled or confirmed is open and unproved no more.
    let client = &environments[0];
    let owner = client.with("X-Booking-Token", made[0].body["data"]["access_token"].as_str().unwrap());
    let cancel = format!("/api/bookings/{}/cancel/", made[0].body["data"]["id"]);
    assert_eq!(owner.post(&cancel, &json!({})).await.status, 200);
    book(client, &booking_with(&json!({ "appointment_time": "17:00" }))).await;
    assert_proof_is_needed(
        &client.post("/api/bookings/", &booking_with(&json!({ "appointment_time": "18:00" }))).await,
    );
    sqlx::query("update bookings set booking_status = 'confirmed' where booking_status = 'pending'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(unproved(&pool).await, 0);
    book(client, &booking_with(&json!({ "appointment_time": "18:00" }))).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_address_makes_ten_unproved_bookings_a_day_of_many_at_once(pool: PgPool) {
    shop(&pool).await;
    sqlx::query("update shops set shop_capacity = 50").execute(&pool).await.unwrap();
    let limits = Limits { a_day_per_address: Some(10), ..Limits::OFF };
    let environments: Vec<Client> =
        (0..16).map(|_| limited(Database::new((*pool.connect_options()).clone()), limits)).collect();
    let bodies: Vec<Value> = (0..16).map(|turn| by(turn, &json!({}))).collect();
    let answers =
        join_all(bodies.iter().zip(&environments).map(|(body, client)| client.post("/api/bookings/", body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10);
    answers.iter().filter(|answer| answer.status != 201).for_each(assert_proof_is_needed);
    assert_eq!(environments[0].at("203.0.113.50").post("/api/bookings/", &bodies[0]).await.status, 201);
    let kept: String =
        sqlx::query_scalar("select json_agg(a)::text from booking_addresses a").fetch_one(&pool).await.unwrap();
    assert!(!kept.contains("203.0.113"));
    sqlx::query("update booking_addresses set created_at = now() - interval '25 hours'").execute(&pool).await.unwrap();
    assert_eq!(environments[0].post("/api/bookings/", &by(40, &json!({}))).await.status, 201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_third_of_each_pool_is_kept_for_proved_bookings(pool: PgPool) {
    let limits = Limits { keep_one_in: Some(3), ..Limits::OFF };
    let client = limited_shop(&pool, limits).await;
    let home = json!({ "service_location": "home", "address": "1 Main St" });
    for (turn, changes) in [json!({}), json!({}), home.clone()].iter().enumerate() {
        book(&client, &by(turn, changes)).await;
    }
    for changes in [&json!({}), &home] {
        assert_proof_is_needed(&client.post("/api/bookings/", &by(9, changes)).await);
    }
    // A move is bound too.
    let elsewhere = book(&client, &by(5, &json!({ "appointment_time": "12:00" }))).await;
    let there = json!({ "appointment_date": monday(), "appointment_time": "10:00" });
    assert_proof_is_needed(&elsewhere.owner(&client).patch(&elsewhere.path, &there).await);
    // Staff take the place that is kept.
    let staff = client.with("X-API-Key", STAFF_KEY);
    book(&staff, &by(9, &json!({}))).await;
    assert_eq!(used(&pool, "shop", "10:00").await, 3);
    assert_eq!(staff.post("/api/bookings/", &by(9, &json!({}))).await.body["code"], "SLOT_FULL");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_with_the_number_is_not_limited_and_one_with_another_is(pool: PgPool) {
    let world = World::with(pool, ALL).await;
    let owner = world.owner_of("+919876543210").await;
    for time in ["09:00", "10:00", "11:00", "12:00"] {
        book(&owner, &booking_with(&json!({ "appointment_time": time }))).await;
    }
    assert_eq!(unproved(&world.pool).await, 0);
    for (turn, time) in ["09:00", "10:00"].iter().enumerate() {
        book(&owner, &booking_with(&json!({ "appointment_time": time, "customer_phone": "9876543299" }))).await;
        assert_eq!(unproved(&world.pool).await, 4 * (i64::try_from(turn).unwrap() + 1));
    }
    let third = booking_with(&json!({ "appointment_time": "11:00", "customer_phone": "9876543299" }));
    assert_proof_is_needed(&owner.post("/api/bookings/", &third).await);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_of_more_than_six_hours_needs_a_proof(pool: PgPool) {
    let client = limited_shop(&pool, ALL).await;
    sqlx::query("update services set duration_minutes = 361 where id = 2").execute(&pool).await.unwrap();
    let long = booking_with(&json!({ "service_ids": [2], "appointment_time": "09:00" }));
    assert_proof_is_needed(&client.post("/api/bookings/", &long).await);
    sqlx::query("update services set duration_minutes = 360 where id = 2").execute(&pool).await.unwrap();
    book(&client, &long).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_many_at_once_no_more_than_the_share_is_unproved(pool: PgPool) {
    shop(&pool).await;
    sqlx::query("update shops set shop_capacity = 9").execute(&pool).await.unwrap();
    let limits = Limits { keep_one_in: Some(3), ..Limits::OFF };
    let environments: Vec<Client> =
        (0..12).map(|_| limited(Database::new((*pool.connect_options()).clone()), limits)).collect();
    let bodies: Vec<Value> = (0..12).map(|turn| by(turn, &json!({}))).collect();
    let answers =
        join_all(bodies.iter().zip(&environments).map(|(body, client)| client.post("/api/bookings/", body))).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 6);
    answers.iter().filter(|answer| answer.status != 201).for_each(assert_proof_is_needed);
    assert_eq!(unproved(&pool).await, 6 * 4);
    // Cancelled by its owner, confirmed and paid: three free their share, and at once others ask for it.
    let (client, path) = (&environments[0], |turn: usize| format!("/api/bookings/{}/", made[turn].body["data"]["id"]));
    let owner = client.with("X-Booking-Token", made[0].body["data"]["access_token"].as_str().unwrap());
    assert_eq!(owner.post(&format!("{}cancel/", path(0)), &json!({})).await.status, 200);
    for (turn, change) in [(1, "booking_status = 'confirmed'"), (2, "payment_status = 'completed'")] {
        let id = made[turn].body["data"]["id"].as_i64();
        sqlx::query(&format!("update bookings set {change} where id = $1")).bind(id).execute(&pool).await.unwrap();
    }
    assert_eq!(unproved(&pool).await, 3 * 4);
    let bodies: Vec<Value> = (20..32).map(|turn| by(turn, &json!({}))).collect();
    let answers =
        join_all(bodies.iter().zip(&environments).map(|(body, client)| client.post("/api/bookings/", body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
    assert_eq!((unproved(&pool).await, used(&pool, "shop", "10:00").await), (6 * 4, 8));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_moved_booking_takes_its_share_along(pool: PgPool) {
    let client = limited_shop(&pool, Limits { keep_one_in: Some(3), ..Limits::OFF }).await;
    let booked = book(&client, &by(1, &json!({}))).await;
    book(&client, &by(2, &json!({}))).await;
    for time in ["11:00", "12:00", "11:00"] {
        let there = json!({ "appointment_date": monday(), "appointment_time": time });
        assert_eq!(booked.owner(&client).patch(&booked.path, &there).await.status, 200);
        assert_eq!(unproved(&pool).await, 8);
    }
    book(&client, &by(3, &json!({}))).await;
    assert_proof_is_needed(&client.post("/api/bookings/", &by(4, &json!({}))).await);
    let back = json!({ "appointment_date": monday(), "appointment_time": "10:00" });
    assert_proof_is_needed(&booked.owner(&client).patch(&booked.path, &back).await);
    assert_eq!(unproved(&pool).await, 12);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_that_begins_proves_the_bookings_of_its_number(pool: PgPool) {
    let world = World::with(pool, ALL).await;
    for time in ["09:00", "10:00"] {
        book(&world.client, &booking_with(&json!({ "appointment_time": time }))).await;
    }
    book(&world.client, &by(1, &json!({}))).await;
    let third = booking_with(&json!({ "appointment_time": "11:00" }));
    assert_proof_is_needed(&world.client.post("/api/bookings/", &third).await);
    let owner = world.owner_of("+919876543210").await;
    book(&owner, &third).await;
    assert_eq!(unproved(&world.pool).await, 4, "only the other number's");
    // One that is made without the session is proved by the session that moves it.
    let booked = book(&world.client, &booking_with(&json!({ "appointment_time": "12:00" }))).await;
    assert_eq!(unproved(&world.pool).await, 8);
    let there = json!({ "appointment_date": monday(), "appointment_time": "13:00" });
    assert_eq!(owner.patch(&booked.path, &there).await.status, 200);
    assert_eq!(unproved(&world.pool).await, 4);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn limits_that_are_off_bind_no_caller(pool: PgPool) {
    let client = limited_shop(&pool, Limits::OFF).await;
    sqlx::query("update shops set shop_capacity = 12").execute(&pool).await.unwrap();
    for _ in 0..12 {
        book(&client, &booking()).await;
    }
    assert_eq!(client.post("/api/bookings/", &booking()).await.body["code"], "SLOT_FULL");
}

//! The capacity guarantee: concurrent requests never overbook a slot.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{Booked, book, booking, booking_with, count, environments, monday, shop, used};

fn statuses(answers: &[testing::Answer]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.status).or_default() += 1;
        counts
    })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn two_hundred_concurrent_bookings_fill_a_slot_exactly_to_capacity(pool: PgPool) {
    shop(&pool).await;
    let environments = environments(&pool.connect_options(), 20);
    let bodies: Vec<Value> = (0..200)
        .map(|turn| {
            // Two capacity pools and 60 customers, each with several bookings.
            let location = if turn % 2 == 0 { "shop" } else { "home" };
            let phone = format!("98765432{:02}", turn % 60);
            booking_with(&json!({ "service_location": location, "address": "1 Main St", "customer_phone": phone }))
        })
        .collect();
    let requests = bodies.iter().enumerate().map(|(turn, body)| environments[turn % 20].post("/api/bookings/", body));
    let answers = join_all(requests).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(201, 5), (409, 195)]));
    for refused in answers.iter().filter(|answer| answer.status == 409) {
        assert_eq!(refused.body["code"], "SLOT_FULL");
    }
    assert_eq!((used(&pool, "shop", "10:00").await, used(&pool, "home", "10:00").await), (3, 2));
    assert_eq!(count(&pool, "bookings").await, 5);
    assert_eq!(count(&pool, "outbox").await, 5);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn overlapping_long_bookings_neither_overbook_nor_deadlock(pool: PgPool) {
    shop(&pool).await;
    let environments = environments(&pool.connect_options(), 12);
    let hours = ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"];
    let bodies: Vec<Value> = (0..96)
        .map(|turn| booking_with(&json!({ "service_ids": [2], "appointment_time": hours[(turn * 5) % 8] })))
        .collect();
    let requests = bodies.iter().enumerate().map(|(turn, body)| environments[turn % 12].post("/api/bookings/", body));
    let answers = join_all(requests).await;
    let counts = statuses(&answers);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), [201, 409]);
    let usage: Vec<(i32, i32)> =
        sqlx::query_as("select used, capacity from slot_usage").fetch_all(&pool).await.unwrap();
    assert!(usage.iter().all(|(used, capacity)| used <= capacity && *capacity == 3));
    let total: i64 = usage.iter().map(|(used, _)| i64::from(*used)).sum();
    // 150 minutes in slots of an hour are twelve quarters.
    assert_eq!(total, 12 * i64::try_from(counts[&201]).unwrap());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_full_slot_is_refused_with_the_nearest_free_ones(pool: PgPool) {
    let client = shop(&pool).await;
    for _ in 0..3 {
        book(&client, &booking()).await;
    }
    let refused = client.post("/api/bookings/", &booking()).await;
    let day = monday().format("%A %-d %B").to_string();
    let sentence = format!(
        "This time is fully booked. The nearest free times are {day} at 09:00, {day} at 11:00 and {day} at 12:00."
    );
    let slot = |time: &str| json!({ "date": monday(), "time": time });
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.body,
        json!({
            "error": true, "message": sentence, "status_code": 409, "code": "SLOT_FULL", "detail": sentence,
            "details": { "available": [
                slot("09:00:00"), slot("11:00:00"), slot("12:00:00"), slot("13:00:00"), slot("14:00:00")
            ] }
        })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_moves_into_one_slot_stop_at_capacity_and_lose_no_slot(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::query("update shops set shop_capacity = 6").execute(&pool).await.unwrap();
    let mut bookings: Vec<Booked> = vec![];
    for turn in 0..12 {
        let hour = if turn % 2 == 0 { "10:00" } else { "15:00" };
        bookings.push(book(&client, &booking_with(&json!({ "appointment_time": hour }))).await);
    }
    sqlx::query("update shops set shop_capacity = 2").execute(&pool).await.unwrap();
    let environments = environments(&pool.connect_options(), 12);
    let target = json!({ "appointment_date": monday(), "appointment_time": "12:00" });
    let moves = bookings.iter().zip(&environments).map(|(booking, environment)| {
        let owner = booking.owner(environment);
        let target = &target;
        async move { owner.patch(&booking.path, target).await }
    });
    assert_eq!(statuses(&join_all(moves).await), BTreeMap::from([(200, 2), (409, 10)]));
    assert_eq!(used(&pool, "shop", "12:00").await, 2);
    assert_eq!(used(&pool, "shop", "10:00").await + used(&pool, "shop", "15:00").await, 10);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_that_swap_slots_concurrently_do_not_deadlock(pool: PgPool) {
    let client = shop(&pool).await;
    // Half-day jobs over twenty quarters each: moves that lock rows in different orders would deadlock.
    sqlx::query("update shops set shop_capacity = 8, slot_minutes = 15").execute(&pool).await.unwrap();
    sqlx::query("update services set duration_minutes = 300 where id = 2").execute(&pool).await.unwrap();
    let halves = ["09:00", "14:00"];
    let mut bookings = vec![];
    for turn in 0..8 {
        let half = json!({ "service_ids": [2], "appointment_time": halves[turn % 2] });
        bookings.push(book(&client, &booking_with(&half)).await);
    }
    let environments = environments(&pool.connect_options(), 8);
    for round in 1..=5 {
        let moves = bookings.iter().zip(&environments).enumerate().map(|(turn, (booking, environment))| {
            let owner = booking.owner(environment);
            let other_half = json!({ "appointment_date": monday(), "appointment_time": halves[(turn + round) % 2] });
            async move { owner.patch(&booking.path, &other_half).await }
        });
        assert_eq!(statuses(&join_all(moves).await), BTreeMap::from([(200, 8)]), "round {round}");
    }
    let total: i64 = sqlx::query_scalar("select sum(used) from slot_usage").fetch_one(&pool).await.unwrap();
    assert_eq!(total, 8 * 20);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_double_click_on_cancel_frees_the_slot_once(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let other = book(&client, &booking()).await;
    let environments = environments(&pool.connect_options(), 8);
    let path = format!("{}cancel/", booked.path);
    let owners: Vec<_> = environments.iter().map(|environment| booked.owner(environment)).collect();
    let nothing = json!({});
    let answers = join_all(owners.iter().map(|owner| owner.post(&path, &nothing))).await;
    assert_eq!(statuses(&answers), BTreeMap::from([(200, 8)]));
    assert_eq!(used(&pool, "shop", "10:00").await, 1);
    let timeline = booked.owner(&client).get(&format!("{}timeline/", booked.path)).await;
    assert_eq!(timeline.body["data"].as_array().unwrap().len(), 2);
    assert_eq!(other.owner(&client).get(&other.path).await.body["data"]["booking_status"], "pending");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn database_constraints_refuse_rows_that_break_the_rules(pool: PgPool) {
    let client = shop(&pool).await;
    book(&client, &booking()).await;
    for (statement, constraint) in [
        ("update slot_usage set used = 4", "slot_usage_capacity_check"),
        ("update slot_usage set used = -1", "slot_usage_used_check"),
        ("update slot_usage set time = time + interval '5 minutes'", "slot_usage_time_check"),
        ("update opening_hours set opens_at = '09:10'", "opening_hours_quarters_check"),
        ("update opening_hours set closes_at = '23:59'", "opening_hours_quarters_check"),
        ("update shops set slot_minutes = 20", "shops_slot_minutes_quarters_check"),
        ("update bookings set occupied_minutes = 0", "bookings_occupied_minutes_check"),
        ("update bookings set total_paise = total_paise + 1", "bookings_total_paise_lines_check"),
        ("update booking_services set price_paise = price_paise + 1", "bookings_total_paise_lines_check"),
        ("delete from booking_services", "bookings_total_paise_lines_check"),
        ("update bookings set service_location = 'home'", "bookings_address_check"),
        ("delete from customers", "bookings_customer_id_fkey"),
    ] {
        let error = sqlx::query(statement).execute(&pool).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().constraint(), Some(constraint), "{statement}");
    }
    for statement in
        ["update booking_events set actor = 'system'", "delete from booking_events", "truncate booking_events"]
    {
        let error = sqlx::query(statement).execute(&pool).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().message(), "booking_events is append-only", "{statement}");
    }
}

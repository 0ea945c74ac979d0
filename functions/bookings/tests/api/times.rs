//! When a customer can still change a booking, and notice on days when clocks change.

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};
use shared::{
    bookings::own::Cutoff,
    database::{Database, MIGRATOR},
};
use sqlx::PgPool;
use testing::Client;

use super::{App, app, book, booking, booking_with, monday, shop};

/// Makes every booking one whose visit begins after so many minutes.
async fn begin_in(pool: &PgPool, minutes: i32) {
    sqlx::query(
        "update bookings set appointment_date = start::date, appointment_time = start::time,
            slot_times = quarters(start::time, occupied_minutes)
        from (select shop_clock(now() + make_interval(mins => $1)) as start) as clock",
    )
    .bind(minutes)
    .execute(pool)
    .await
    .unwrap();
}

fn to(time: &str) -> Value {
    json!({ "appointment_date": monday(), "appointment_time": time })
}

fn refusal(sentence: &str) -> Value {
    json!({
        "error": true, "message": sentence, "status_code": 409, "code": "TOO_LATE", "details": {}, "detail": sentence
    })
}

async fn shop_phone(pool: &PgPool) -> String {
    sqlx::query_scalar("select phone from shops").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_customer_changes_nothing_once_the_time_has_come(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let owner = booked.owner(&client);
    let phone = shop_phone(&pool).await;
    let sentence = format!("The time of this booking has come. To change or cancel it, please call the shop: {phone}.");
    for minutes in [0, -3 * 24 * 60] {
        begin_in(&pool, minutes).await;
        let moved = owner.patch(&booked.path, &to("15:00")).await;
        assert_eq!((moved.status, &moved.body), (409, &refusal(&sentence)));
        let cancelled = owner.post(&format!("{}cancel/", booked.path), &json!({})).await;
        assert_eq!((cancelled.status, &cancelled.body), (409, &refusal(&sentence)));
    }
    begin_in(&pool, 2).await;
    assert_eq!(owner.post(&format!("{}cancel/", booked.path), &json!({})).await.status, 200);
    begin_in(&pool, -60).await;
    let again = owner.post(&format!("{}cancel/", booked.path), &json!({})).await;
    assert_eq!(again.status, 200, "a repeated cancellation changes nothing, however late");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn changes_end_at_the_configured_cut_off(pool: PgPool) {
    shop(&pool).await;
    let database = Database::from(pool.clone());
    let throttle = testing::no_throttle(&testing::redis());
    let app = App { cutoff: Cutoff(TimeDelta::minutes(90)), ..app(&database, throttle) };
    let client = Client::new(bookings::router(app), database);
    let booked = book(&client, &booking()).await;
    begin_in(&pool, 89).await;
    let late = booked.owner(&client).patch(&booked.path, &to("15:00")).await;
    let phone = shop_phone(&pool).await;
    let sentence = "Bookings can be changed until 90 minutes before. To change this one";
    assert_eq!(late.body, refusal(&format!("{sentence}, please call the shop: {phone}.")));
    begin_in(&pool, 92).await;
    assert_eq!(booked.owner(&client).patch(&booked.path, &to("15:00")).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_customer_moves_a_booking_five_times(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let owner = booked.owner(&client);
    for time in ["11:00", "12:00", "13:00", "14:00", "15:00"] {
        assert_eq!(owner.patch(&booked.path, &to(time)).await.status, 200, "{time}");
    }
    let refused = owner.patch(&booked.path, &to("16:00")).await;
    let phone = shop_phone(&pool).await;
    let sentence = format!("You have moved this booking 5 times. To move it again, please call the shop: {phone}.");
    assert_eq!((refused.status, &refused.body), (409, &refusal(&sentence)));
    assert_eq!(owner.patch(&booked.path, &to("15:00")).await.status, 200, "a repeated move changes nothing");
    assert_eq!(owner.post(&format!("{}cancel/", booked.path), &json!({})).await.status, 200);
}

/// A shop in a zone whose clocks go forward within the half year, and a day after that.
async fn after_the_change(pool: &PgPool) -> NaiveDate {
    for zone in ["Europe/Berlin", "Australia/Sydney"] {
        let day: Option<NaiveDate> = sqlx::query_scalar(
            "select (now() + interval '182 days')::date
            where (now() + interval '182 days') at time zone $1 - now() at time zone $1 > interval '182 days'",
        )
        .bind(zone)
        .fetch_optional(pool)
        .await
        .unwrap();
        if let Some(day) = day {
            sqlx::query("update shops set time_zone = $1, booking_horizon_days = 365")
                .bind(zone)
                .execute(pool)
                .await
                .unwrap();
            return day;
        }
    }
    panic!("no zone changes its clocks");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn notice_is_counted_in_hours_that_pass_and_not_on_the_clock(pool: PgPool) {
    let client = shop(&pool).await;
    let day = after_the_change(&pool).await;
    sqlx::query("delete from opening_hours").execute(&pool).await.unwrap();
    sqlx::query("insert into opening_hours select 1, day, '09:00', '19:00' from generate_series(1, 7) as day")
        .execute(&pool)
        .await
        .unwrap();
    // The notice ends at half past ten of that day.
    sqlx::query(
        "update shops set minimum_notice_minutes = extract(epoch from
            ($1::date + time '10:30') at time zone time_zone - now())::integer / 60",
    )
    .bind(day)
    .execute(&pool)
    .await
    .unwrap();
    let at = |time: &str| booking_with(&json!({ "appointment_date": day, "appointment_time": time }));
    assert_eq!(client.post("/api/bookings/", &at("10:00")).await.status, 400, "half an hour is missing");
    assert_eq!(client.post("/api/bookings/", &at("11:00")).await.status, 201);
}

//! Free slots: the times that can still be booked.

use chrono::{Days, Utc, Weekday};
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{book, booking_with, monday, shop};

fn available(body: &Value) -> Vec<i64> {
    body["data"].as_array().unwrap().iter().map(|slot| slot["available"].as_i64().unwrap()).collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_day_s_slots_are_listed_with_their_free_capacity(pool: PgPool) {
    let client = shop(&pool).await;
    book(&client, &booking_with(&json!({}))).await;
    let answer = client.get(&format!("/api/slots/?date={}&service_location=shop", monday())).await;
    let slot = |hour: u32| json!({ "time": format!("{hour:02}:00:00"), "capacity": 3, "available": if hour == 10 { 2 } else { 3 } });
    assert_eq!(
        answer.body,
        json!({ "error": false, "message": "Slots retrieved successfully", "data": (9..19).map(slot).collect::<Vec<_>>() })
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let home = client.get(&format!("/api/slots?service_location=home&date={}", monday())).await;
    assert_eq!(available(&home.body), [2; 10], "home visits have a pool of their own");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_long_job_can_start_only_where_all_its_slots_are_free(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::query("update shops set shop_capacity = 1").execute(&pool).await.unwrap();
    book(&client, &booking_with(&json!({ "appointment_time": "13:00" }))).await;
    // Service 2 takes 150 minutes, three slots.
    let path = format!("/api/slots/?date={}&service_location=shop&vehicle_model_id=7&service_ids=2", monday());
    assert_eq!(available(&client.get(&path).await.body), [1, 1, 0, 0, 0, 1, 1, 1, 0, 0]);
    let late = booking_with(&json!({ "appointment_time": "17:00", "service_ids": [2] }));
    assert_eq!(client.post("/api/bookings/", &late).await.status, 400);
    let full = booking_with(&json!({ "appointment_time": "11:00", "service_ids": [2] }));
    assert_eq!(client.post("/api/bookings/", &full).await.status, 409);
    book(&client, &booking_with(&json!({ "appointment_time": "14:00", "service_ids": [2] }))).await;
    assert_eq!(available(&client.get(&path).await.body), [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_longer_than_the_day_takes_the_whole_day(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::query("update services set duration_minutes = 700 where id = 4").execute(&pool).await.unwrap();
    let path = format!("/api/slots/?date={}&service_location=shop&service_ids=4", monday());
    assert_eq!(available(&client.get(&path).await.body), [3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(client.post("/api/bookings/", &booking_with(&json!({ "appointment_time": "10:00" }))).await.status, 400);
    book(&client, &booking_with(&json!({ "appointment_time": "09:00" }))).await;
    let short = format!("/api/slots/?date={}&service_location=shop", monday());
    assert_eq!(available(&client.get(&short).await.body), [2; 10]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn closed_past_and_distant_days_have_no_slots(pool: PgPool) {
    let client = shop(&pool).await;
    let today = Utc::now().date_naive();
    for day in [testing::next(Weekday::Tue), today - Days::new(2), today + Days::new(400)] {
        let answer = client.get(&format!("/api/slots/?date={day}&service_location=shop")).await;
        assert_eq!((answer.status, &answer.body["data"]), (200, &json!([])), "{day}");
    }
    for day in ["0001-01-01", "9999-12-31"] {
        let answer = client.get(&format!("/api/slots/?date={day}&service_location=shop")).await;
        assert_eq!((answer.status, &answer.body["data"]), (200, &json!([])), "{day}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn slots_within_the_minimum_notice_are_not_available(pool: PgPool) {
    let client = shop(&pool).await;
    // Open around the clock; the minimum notice is raised from an hour to a day.
    sqlx::query("insert into opening_hours select 1, day, '00:00', '24:00' from generate_series(1, 7) day on conflict (shop_id, weekday) do update set opens_at = excluded.opens_at, closes_at = excluded.closes_at").execute(&pool).await.unwrap();
    let local_today: chrono::NaiveDate =
        sqlx::query_scalar("select (now() at time zone 'Asia/Kolkata')::date").fetch_one(&pool).await.unwrap();
    sqlx::query("update shops set minimum_notice_minutes = 1440").execute(&pool).await.unwrap();
    let path = format!("/api/slots/?date={local_today}&service_location=shop");
    assert_eq!(available(&client.get(&path).await.body), [0; 24]);
    let booking = booking_with(&json!({ "appointment_date": local_today, "appointment_time": "23:00" }));
    let refused = client.post("/api/bookings/", &booking).await;
    assert_eq!(refused.body["details"], json!({ "appointment_time": ["Please book at least 1440 minutes ahead."] }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_day_that_closes_at_midnight_sells_its_last_quarter(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::raw_sql(
        "update opening_hours set opens_at = '23:15', closes_at = '24:00' where weekday = 1;
        update shops set slot_minutes = 15, shop_capacity = 1;
        update services set duration_minutes = 15 where id = 4",
    )
    .execute(&pool)
    .await
    .unwrap();
    let path = format!("/api/slots/?date={}&service_location=shop&service_ids=4", monday());
    book(&client, &booking_with(&json!({ "appointment_time": "23:45" }))).await;
    assert_eq!(available(&client.get(&path).await.body), [1, 1, 0]);
    let late = client.post("/api/bookings/", &booking_with(&json!({ "appointment_time": "24:00" }))).await;
    assert_eq!(late.status, 400);
    let full = client.post("/api/bookings/", &booking_with(&json!({ "appointment_time": "23:45" }))).await;
    assert_eq!((full.status, &full.body["details"]["available"][0]["time"]), (409, &json!("23:30:00")));
    let early = client.post("/api/bookings/", &booking_with(&json!({ "appointment_time": "23:00" }))).await;
    assert_eq!(
        early.body["details"],
        json!({ "appointment_time": ["The shop is open from 23:15 to 24:00 on this day."] })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_query_is_refused_with_all_its_errors(pool: PgPool) {
    let client = shop(&pool).await;
    let answer = client.get("/api/slots/?date=x&service_ids=1,x&vehicle_model_id=y").await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body["details"],
        json!({
            "date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
            "service_location": ["This field is required."],
            "service_ids": ["A valid integer is required."],
            "vehicle_model_id": ["A valid integer is required."]
        })
    );
    let unknown = format!("/api/slots/?date={}&service_location=shop&vehicle_model_id=9999&service_ids=777", monday());
    assert_eq!(
        client.get(&unknown).await.body["details"],
        json!({
            "vehicle_model_id": ["Invalid pk \"9999\" - object does not exist."],
            "service_ids": ["Invalid pk \"777\" - object does not exist."]
        })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn services_are_sent_as_one_text_repeated_or_with_brackets(pool: PgPool) {
    let client = shop(&pool).await;
    let path = format!("/api/slots/?date={}&service_location=shop&vehicle_model_id=7", monday());
    let expected = client.get(&format!("{path}&service_ids=2,4")).await.body;
    assert_ne!(expected, client.get(&format!("{path}&service_ids=4")).await.body, "the length of both counts");
    for services in
        ["service_ids=2&service_ids=4", "service_ids[]=2&service_ids[]=4", "service_ids%5B0%5D=2&service_ids%5B1%5D=4"]
    {
        assert_eq!(client.get(&format!("{path}&{services}")).await.body, expected, "{services}");
    }
}

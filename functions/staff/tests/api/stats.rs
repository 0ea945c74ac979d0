//! The booking statistics of the staff's first page.

use chrono::NaiveDate;
use serde_json::{Value, json};
use shared::database::{Database, MIGRATOR};
use shared::ids::RefundId;
use shared::payments::refunds;
use sqlx::PgPool;

use super::{book, desk, money::refunds_are_done, path_of, pay_online};

const STATS: &str = "/api/staff/bookings/stats/";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_shop_without_bookings_has_zeros(pool: PgPool) {
    let answer = desk(&pool).await.get(STATS).await;
    assert_eq!(
        answer.body,
        json!({
            "error": false, "message": "Statistics retrieved successfully",
            "data": {
                "total_bookings": 0,
                "booking_status": { "pending": 0, "confirmed": 0, "in_progress": 0, "completed": 0, "cancelled": 0 },
                "payment_status": { "pending": 0, "completed": 0, "refunded": 0 },
                "revenue": { "total": "0.00", "today": "0.00", "this_month": "0.00" },
                "failed_refunds": 0, "payment_mismatches": 0, "open_disputes": 0, "today": 0, "upcoming": 0
            }
        })
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_are_counted_by_day_in_the_shop_s_time_zone(pool: PgPool) {
    let desk = desk(&pool).await;
    let day = async |days: i32| -> NaiveDate {
        let day = sqlx::query_scalar("select (now() at time zone 'Asia/Kolkata')::date + $1").bind(days);
        day.fetch_one(&pool).await.unwrap()
    };
    let (yesterday, today, tomorrow) = (day(-1).await, day(0).await, day(1).await);
    for (date, status, payment) in [
        (yesterday, "completed", "completed"),
        (yesterday, "pending", "pending"),
        (today, "in_progress", "pending"),
        (today, "cancelled", "refunded"),
        (today, "confirmed", "completed"),
        (today, "completed", "completed"),
        (tomorrow, "pending", "pending"),
        (tomorrow, "confirmed", "completed"),
        (tomorrow, "cancelled", "pending"),
    ] {
        book(&pool, &json!({ "date": date, "status": status, "payment": payment })).await;
    }
    let mut stats = desk.get(STATS).await.body["data"].clone();
    stats.as_object_mut().unwrap().remove("revenue");
    assert_eq!(
        stats,
        json!({
            "total_bookings": 9,
            "booking_status": { "pending": 2, "confirmed": 2, "in_progress": 1, "completed": 2, "cancelled": 2 },
            "payment_status": { "pending": 4, "completed": 4, "refunded": 1 },
            "failed_refunds": 0, "payment_mismatches": 0, "open_disputes": 0, "today": 3, "upcoming": 2
        })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn revenue_is_money_captured_and_not_refunded(pool: PgPool) {
    let desk = desk(&pool).await;
    let take = async |id: i64, rupees: &str| {
        let answer = desk.post(&format!("{}record-cash/", path_of(id)), &json!({ "amount": rupees })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    let give_back = async |id: i64, body: Value| {
        let answer = desk.post(&format!("{}refund/", path_of(id)), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    let paise = [10_001, 20_000, 40_000, 80_000, 160_000, 320_000];
    let mut ids = Vec::new();
    for (place, paise) in paise.into_iter().enumerate() {
        ids.push(book(&pool, &json!({ "paise": paise, "time": format!("{}:00", 10 + place) })).await);
    }
    take(ids[0], "100.01").await;
    take(ids[1], "200.00").await;
    take(ids[2], "400.00").await;
    give_back(ids[2], json!({ "amount": "399.99", "reason": "x" })).await;
    pay_online(&pool, ids[3], "pay_1").await;
    give_back(ids[3], json!({ "reason": "x" })).await;
    pay_online(&pool, ids[4], "pay_2").await;
    // Paid twice: the second payment is refunded automatically. The last booking is not paid.
    pay_online(&pool, ids[4], "pay_3").await;
    // The first was paid one second before the shop's month began, the second at its first moment.
    for (booking, seconds) in [(ids[0], 1.0), (ids[1], 0.0)] {
        let paid = sqlx::query(
            "update captures set captured_at = date_trunc('month', now(), 'Asia/Kolkata') - make_interval(secs => $2)
            where booking_id = $1",
        );
        paid.bind(booking).bind(seconds).execute(&pool).await.unwrap();
    }
    let is_first: bool = sqlx::query_scalar("select extract(day from now() at time zone 'Asia/Kolkata') = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    let today = if is_first { "1800.01" } else { "1600.01" };
    let stats = desk.get(STATS).await.body["data"].clone();
    assert_eq!(stats["revenue"], json!({ "total": "1900.02", "today": today, "this_month": "1800.01" }));
    assert_eq!(stats["payment_status"], json!({ "pending": 1, "completed": 5, "refunded": 0 }));
    refunds_are_done(&pool).await;
    let stats = desk.get(STATS).await.body["data"].clone();
    assert_eq!(stats["revenue"]["total"], "1900.02", "what is on its way is not counted twice");
    assert_eq!(stats["payment_status"], json!({ "pending": 1, "completed": 4, "refunded": 1 }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failed_refund_is_counted_until_it_is_requested_again(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    pay_online(&pool, id, "pay_1").await;
    let path = format!("{}refund/", path_of(id));
    let queued = desk.post(&path, &json!({ "reason": "x" })).await.body["data"]["refunds"][0]["id"].as_i64().unwrap();
    let failed = async || desk.get(STATS).await.body["data"]["failed_refunds"].clone();
    assert_eq!(failed().await, 0);
    let mut transaction = Database::from(pool.clone()).begin().await.unwrap();
    refunds::give_up(&mut transaction, RefundId(queued)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(failed().await, 1);
    desk.post(&path, &json!({ "reason": "x" })).await;
    assert_eq!(failed().await, 0);
}

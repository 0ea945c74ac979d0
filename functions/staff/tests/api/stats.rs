//! The numbers of the first page.

use chrono::NaiveDate;
use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{book, desk};

const STATS: &str = "/api/staff/bookings/stats/";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_shop_without_bookings_has_zeros(pool: PgPool) {
    let answer = desk(&pool).await.get(STATS).await;
    assert_eq!(
        answer.body,
        json!({
            "error": false, "message": "Booking statistics retrieved successfully",
            "data": {
                "total_bookings": 0,
                "booking_status": { "pending": 0, "confirmed": 0, "in_progress": 0, "completed": 0, "cancelled": 0 },
                "payment_status": { "pending": 0, "completed": 0, "refunded": 0 },
                "revenue": { "total": "0.00", "today": "0.00", "this_month": "0.00" }, "today": 0, "upcoming": 0
            }
        })
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_and_money_are_counted_on_the_shop_s_clock(pool: PgPool) {
    let desk = desk(&pool).await;
    let day = async |days: i32| -> NaiveDate {
        let day = sqlx::query_scalar("select (now() at time zone 'Asia/Kolkata')::date + $1").bind(days);
        day.fetch_one(&pool).await.unwrap()
    };
    let (yesterday, today, tomorrow) = (day(-1).await, day(0).await, day(1).await);
    for (date, status, payment, paise) in [
        (yesterday, "completed", "completed", 10_001),
        (yesterday, "pending", "pending", 1),
        (today, "in_progress", "pending", 2),
        (today, "cancelled", "refunded", 4),
        (today, "confirmed", "completed", 20_000),
        (today, "completed", "completed", 40_000),
        (tomorrow, "pending", "pending", 8),
        (tomorrow, "confirmed", "completed", 80_000),
        (tomorrow, "cancelled", "pending", 16),
    ] {
        book(&pool, &json!({ "date": date, "status": status, "payment": payment, "paise": paise })).await;
    }
    // The first was paid a moment before the shop's month began, the second of those of today with its first moment.
    for (id, before) in [(1, 1), (5, 0)] {
        let paid = sqlx::query(
            "update bookings set updated_at = date_trunc('month', now() at time zone 'Asia/Kolkata')
                at time zone 'Asia/Kolkata' - make_interval(secs => $2)
            where id = $1",
        );
        paid.bind(id).bind(f64::from(before)).execute(&pool).await.unwrap();
    }
    let is_first: bool = sqlx::query_scalar("select extract(day from now() at time zone 'Asia/Kolkata') = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    let today = if is_first { "1400.00" } else { "1200.00" };
    assert_eq!(
        desk.get(STATS).await.body["data"],
        json!({
            "total_bookings": 9,
            "booking_status": { "pending": 2, "confirmed": 2, "in_progress": 1, "completed": 2, "cancelled": 2 },
            "payment_status": { "pending": 4, "completed": 4, "refunded": 1 },
            "revenue": { "total": "1500.01", "today": today, "this_month": "1400.00" }, "today": 3, "upcoming": 2
        })
    );
}

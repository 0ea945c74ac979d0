//! The bookings that a change of hours, holidays or capacity leaves outside.

use serde_json::json;
use shared::{
    bookings::outside::{LeftOutside, Outside, left_outside},
    database::MIGRATOR,
};
use sqlx::PgPool;

use super::{Booked, book, booking_with, monday, shop};

fn id(booked: &Booked) -> i64 {
    booked.answer.body["data"]["id"].as_i64().unwrap()
}

/// Who is left outside by a change that is rolled back, as a form shows it before it is confirmed.
async fn outside(pool: &PgPool, change: &str) -> Vec<LeftOutside> {
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql(change).execute(&mut *transaction).await.unwrap();
    let left = left_outside(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    left
}

async fn reasons(pool: &PgPool, change: &str) -> Vec<(i64, Outside)> {
    outside(pool, change).await.into_iter().map(|left| (left.id.0, left.reason)).collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_reason_names_the_bookings_that_it_leaves_outside(pool: PgPool) {
    let client = shop(&pool).await;
    // Half an hour in a slot of an hour, and 150 minutes in three.
    let short = id(&book(&client, &booking_with(&json!({ "appointment_time": "09:00" }))).await);
    let long = id(&book(&client, &booking_with(&json!({ "appointment_time": "14:00", "service_ids": [2] }))).await);
    let late = id(&book(&client, &booking_with(&json!({ "appointment_time": "16:00" }))).await);
    assert_eq!(reasons(&pool, "").await, []);
    let of =
        |ids: &[i64], reason: &Outside| -> Vec<(i64, Outside)> { ids.iter().map(|id| (*id, reason.clone())).collect() };
    let holiday = format!("insert into holidays values (1, '{}', 'Pongal')", monday());
    for (change, expected) in [
        (holiday.as_str(), of(&[short, long, late], &Outside::Holiday("Pongal".to_owned()))),
        ("delete from opening_hours where weekday = 1", of(&[short, long, late], &Outside::Closed)),
        ("update opening_hours set opens_at = '09:15' where weekday = 1", of(&[short], &Outside::Hours)),
        ("update opening_hours set closes_at = '16:30' where weekday = 1", of(&[], &Outside::Hours)),
        ("update opening_hours set closes_at = '16:15' where weekday = 1", of(&[long, late], &Outside::Hours)),
        ("update shops set shop_capacity = 1", of(&[long, late], &Outside::Capacity)),
        ("update shops set shop_capacity = 0", of(&[short, long, late], &Outside::Capacity)),
        ("update shops set shop_capacity = 2, home_capacity = 0", of(&[], &Outside::Capacity)),
    ] {
        assert_eq!(reasons(&pool, change).await, expected, "{change}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_left_outside_is_described(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking_with(&json!({ "appointment_time": "14:00", "service_ids": [2] }))).await;
    let left = outside(&pool, "delete from opening_hours").await;
    assert_eq!(
        json!(left),
        json!([{
            "id": id(&booked), "reference": booked.answer.body["data"]["reference"], "customer_name": "John Doe",
            "customer_phone": "+919876543210", "date": monday(), "time": "14:00:00", "end": "16:30:00",
            "location": "shop", "reason": { "kind": "closed" }
        }])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn only_open_bookings_to_come_are_left_outside(pool: PgPool) {
    let client = shop(&pool).await;
    let kept = id(&book(&client, &booking_with(&json!({}))).await);
    let other = id(&book(&client, &booking_with(&json!({}))).await);
    let all = [(kept, Outside::Capacity), (other, Outside::Capacity)];
    // Work in progress takes a place, but is too late to be moved.
    for (change, expected) in [
        ("update bookings set booking_status = 'confirmed'", &all[..]),
        ("update bookings set booking_status = 'in_progress' where id = (select max(id) from bookings)", &all[..1]),
        ("update bookings set booking_status = 'completed' where id = (select max(id) from bookings)", &[]),
        ("update bookings set booking_status = 'cancelled' where id = (select max(id) from bookings)", &[]),
        ("update bookings set appointment_date = current_date - 2", &[]),
    ] {
        let change = format!("update shops set shop_capacity = 1; {change}");
        assert_eq!(reasons(&pool, &change).await, expected, "{change}");
    }
}

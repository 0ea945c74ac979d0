//! Cancelling all bookings that a filter finds.

use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{book, desk, timeline};

const PATH: &str = "/api/staff/bookings/cancel/";

async fn statuses(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select booking_status::text from bookings order by id").fetch_all(pool).await.unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn all_bookings_that_a_filter_finds_are_cancelled_and_each_has_a_result(pool: PgPool) {
    let desk = desk(&pool).await;
    let mut ids = Vec::new();
    for changes in [
        json!({}),
        json!({ "status": "confirmed" }),
        json!({ "status": "completed" }),
        json!({ "status": "cancelled" }),
        json!({ "name": "Asha Rao", "time": "12:00" }),
    ] {
        ids.push(book(&pool, &changes).await);
    }
    let answer = desk.post(PATH, &json!({ "search": "John Doe", "count": 4, "reason": "Invented" })).await;
    let references: Vec<String> =
        sqlx::query_scalar("select reference from bookings order by id").fetch_all(&pool).await.unwrap();
    let result = |place: usize, outcome: &str, status: &str| json!({ "id": ids[place], "reference": references[place], "outcome": outcome, "booking_status": status });
    let mut results = answer.body["data"]["results"].as_array().unwrap().clone();
    results.sort_by_key(|result| result["id"].as_i64());
    assert_eq!(
        (answer.status, json!(results)),
        (
            200,
            json!([
                result(0, "done", "cancelled"),
                result(1, "done", "cancelled"),
                result(2, "not_allowed", "completed"),
                result(3, "same", "cancelled"),
            ])
        )
    );
    assert_eq!(statuses(&pool).await, ["cancelled", "cancelled", "completed", "cancelled", "pending"]);
    let cancelled = json!(["cancelled", "pending", "cancelled", "staff:desk"]);
    assert_eq!(timeline(&pool, ids[0]).await[1], cancelled);
    let kept: Vec<(String, String)> =
        sqlx::query_as("select actor, reason from booking_events where event = 'cancelled' order by id")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(kept, vec![("staff:desk".to_owned(), "Invented".to_owned()); 2]);
    // The completed one and Asha's are all that hold places.
    let used: i32 = sqlx::query_scalar("select max(used) from slot_usage").fetch_one(&pool).await.unwrap();
    assert_eq!(used, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nothing_is_cancelled_if_another_number_matches_or_too_many(pool: PgPool) {
    let desk = desk(&pool).await;
    for _ in 0..2 {
        book(&pool, &json!({})).await;
    }
    let changed = desk.post(PATH, &json!({ "status": "pending", "count": 1, "reason": "Invented" })).await;
    let details = json!({ "count": ["2 bookings match now. Look at them again."] });
    assert_eq!((changed.status, &changed.body["code"], &changed.body["details"]), (409, &json!("CONFLICT"), &details));
    let faulty = desk.post(PATH, &json!({ "status": "moon", "count": 2 })).await;
    assert_eq!(faulty.status, 400);
    let fields: Vec<&String> = faulty.body["details"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["reason", "status"]);
    sqlx::query(
        "with many as (
        insert into bookings (reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise, payment_method,
            notes, access_token_sha256, access_token_expires_at)
        select 'RMB-00000-' || lpad(turn::text, 5, '0'), customer_id, customer_name, customer_email, vehicle_model_id,
            service_location, address, appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes,
            total_paise, payment_method, notes, sha256(turn::text::bytea), access_token_expires_at
        from bookings, generate_series(1, 199) as turn where id = 1
        returning id, total_paise
        )
        insert into booking_services (booking_id, service_id, price_paise) select id, 4, total_paise from many",
    )
    .execute(&pool)
    .await
    .unwrap();
    let many = desk.post(PATH, &json!({ "status": "pending", "count": 201, "reason": "Invented" })).await;
    assert_eq!(
        (many.status, &many.body["details"]),
        (400, &json!({ "count": ["At most 200 bookings are cancelled at once."] }))
    );
    assert!(statuses(&pool).await.iter().all(|status| status == "pending"));
}

//! The log: who has read or changed which booking, and no personal data.

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::Log;

use super::{book, desk, path_of};

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_line_of_a_request_names_the_key_and_the_booking_but_nothing_personal(pool: PgPool) {
    let desk = desk(&pool).await;
    let ids = [
        book(&pool, &json!({ "name": "Asha Rao", "phone": "+919876500001", "email": "asha@example.com" })).await,
        book(&pool, &json!({ "name": "Asha Rao", "phone": "+919876500001", "email": "asha@example.com" })).await,
    ];
    let path = path_of(ids[0]);
    let log = Log::start();
    desk.get(&path).await;
    desk.patch(&path, &json!({ "notes": "Asha Rao calls back" })).await;
    desk.post(&format!("{path}record-cash/"), &json!({ "amount": "390.00" })).await;
    let text = log.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 3, "{text}");
    for line in &lines {
        let span = &line["span"];
        assert_eq!([&span["actor"], &span["bookings"]], [&json!("staff:desk"), &json!(ids[0].to_string())], "{line}");
    }
    for personal in ["Asha", "98765", "example.com"] {
        assert!(!text.contains(personal), "{text}");
    }

    desk.get("/api/staff/bookings/").await;
    let listed = log.lines();
    assert_eq!(listed[0]["span"]["bookings"], format!("{}-{}", ids[0], ids[1]), "{listed:?}");
    let stranger = desk.with("X-API-Key", "wrong");
    stranger.get(&path).await;
    assert_eq!(log.lines().last().unwrap()["span"].get("actor"), None);
}

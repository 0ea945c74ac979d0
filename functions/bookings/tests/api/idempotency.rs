//! Idempotent retries: requests with the same key and body make one booking, also after a lost answer.

use futures::future::join_all;
use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{booking, booking_with, count, environments, shop, used};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_retry_after_a_lost_response_gets_the_first_answer_byte_for_byte(pool: PgPool) {
    let client = shop(&pool).await.with("Idempotency-Key", "5f0c1f9e-order");
    // The booking is committed and its answer is lost: the caller only knows what it sent.
    let lost = client.post("/api/bookings/", &booking()).await;
    assert_eq!((lost.status, lost.header("idempotency-replayed")), (201, ""));
    sqlx::query("update bookings set booking_status = 'cancelled'").execute(&pool).await.unwrap();
    // A new booking would now be refused; the retry sends its JSON keys in another order.
    sqlx::query("update shops set minimum_notice_minutes = 100000").execute(&pool).await.unwrap();
    let mut keys: Vec<_> = booking().as_object().unwrap().clone().into_iter().collect();
    keys.reverse();
    let reordered =
        keys.iter().map(|(key, value)| format!("{} : {value}", json!(key))).collect::<Vec<_>>().join(" ,\n");
    let json_client = client.with("Content-Type", "application/json");
    let retry = json_client.send("POST", "/api/bookings", Some(&format!("{{{reordered}}}"))).await;
    assert_eq!((retry.status, &retry.text), (201, &lost.text));
    assert_eq!(retry.header("idempotency-replayed"), "true");
    assert_eq!((retry.header("content-type"), retry.header("cache-control")), ("application/json", "no-store"));
    assert_eq!(count(&pool, "bookings").await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn thirty_concurrent_requests_with_one_key_make_one_booking(pool: PgPool) {
    shop(&pool).await;
    let environments: Vec<_> = environments(&pool.connect_options(), 30)
        .into_iter()
        .map(|environment| environment.with("Idempotency-Key", "double click"))
        .collect();
    let body = booking();
    let answers = join_all(environments.iter().map(|client| client.post("/api/bookings/", &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.text == answers[0].text));
    let fresh = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count();
    assert_eq!(fresh, 1);
    assert_eq!((count(&pool, "bookings").await, used(&pool, "shop", "10:00").await), (1, 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_with_another_body_is_refused(pool: PgPool) {
    let client = shop(&pool).await.with("Idempotency-Key", "k");
    assert_eq!(client.post("/api/bookings/", &booking()).await.status, 201);
    let reused = client.post("/api/bookings/", &booking_with(&json!({ "appointment_time": "11:00" }))).await;
    assert_eq!((reused.status, &reused.body["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")));
    assert_eq!(count(&pool, "bookings").await, 1);
    assert_eq!(client.with("Idempotency-Key", "K").post("/api/bookings/", &booking()).await.status, 201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failure_frees_the_key(pool: PgPool) {
    let client = shop(&pool).await.with("Idempotency-Key", "k");
    let wrong = booking_with(&json!({ "appointment_time": "10:30" }));
    assert_eq!(client.post("/api/bookings/", &wrong).await.status, 400);
    assert_eq!(client.post("/api/bookings/", &booking()).await.status, 201);
    for key in ["a", "b"] {
        assert_eq!(client.with("Idempotency-Key", key).post("/api/bookings/", &booking()).await.status, 201);
    }
    let late = client.with("Idempotency-Key", "late");
    assert_eq!(late.post("/api/bookings/", &booking()).await.status, 409);
    sqlx::query("update shops set shop_capacity = 4").execute(&pool).await.unwrap();
    let retry = late.post("/api/bookings/", &booking()).await;
    assert_eq!((retry.status, retry.header("idempotency-replayed")), (201, ""));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_request_whose_key_stays_locked_is_refused_as_in_progress(pool: PgPool) {
    let client = shop(&pool).await;
    let keyed = client.with("Idempotency-Key", "held");
    assert_eq!(keyed.post("/api/bookings/", &booking()).await.status, 201);
    // Another environment holds the row, as it would while it works on the first request.
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("update idempotency_keys set expires_at = now()").execute(&mut *holder).await.unwrap();
    let waiting = keyed.post("/api/bookings/", &booking()).await;
    assert_eq!((waiting.status, &waiting.body["code"]), (409, &json!("IDEMPOTENCY_IN_PROGRESS")));
    holder.commit().await.unwrap();
    // The kept answer has expired meanwhile: the key is free.
    let fresh = keyed.post("/api/bookings/", &booking()).await;
    assert_eq!((fresh.status, fresh.header("idempotency-replayed")), (201, ""));
    assert_eq!(count(&pool, "bookings").await, 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_has_1_to_255_characters(pool: PgPool) {
    let client = shop(&pool).await;
    for key in ["", "  ", &"x".repeat(256), "ключ"] {
        let refused = client.with("Idempotency-Key", key).post("/api/bookings/", &booking()).await;
        let details = json!({ "Idempotency-Key": ["Send 1 to 255 printable characters."] });
        assert_eq!((refused.status, &refused.body["details"]), (400, &details), "{key}");
    }
    let longest = client.with("Idempotency-Key", &"x".repeat(255)).post("/api/bookings/", &booking()).await;
    assert_eq!(longest.status, 201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_kept_answer_cannot_be_read_without_its_key(pool: PgPool) {
    let client = shop(&pool).await;
    let answer = client.with("Idempotency-Key", "secret-key").post("/api/bookings/", &booking()).await;
    let token = answer.body["data"]["access_token"].as_str().unwrap();
    let (row, body): (String, Vec<u8>) =
        sqlx::query_as("select k::text, sealed_body from idempotency_keys k").fetch_one(&pool).await.unwrap();
    assert!(!row.contains("secret-key"));
    let holds = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(token) && !holds("John") && !holds("access_token"));
}

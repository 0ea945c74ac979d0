//! Cash is recorded once, and as the whole total.

use futures::future::join_all;
use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::timeless;

use super::{fault, record_cash, refund, refunds};
use crate::{book, desk, path_of, timeline};

#[sqlx::test(migrator = "MIGRATOR")]
async fn cash_is_recorded_once_and_in_full(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "paise": 75_010, "status": "confirmed" })).await;
    let before = desk.get(&path_of(id)).await.body["data"].clone();
    for amount in ["750.09", "750.11", "1.00"] {
        assert_eq!(record_cash(&desk, id, &json!({ "amount": amount })).await, fault("Take the whole total, 750.10."));
    }
    for (body, sentence) in [
        (json!({}), "This field is required."),
        (json!({ "amount": null }), "This field may not be null."),
        (json!({ "amount": "" }), "This field may not be blank."),
        (json!({ "amount": "0.00" }), "Ensure this value is greater than 0."),
        (json!({ "amount": "-750.10" }), "A valid amount is required, such as 750.10."),
        (json!({ "amount": "750.101" }), "A valid amount is required, such as 750.10."),
        (json!({ "amount": [] }), "Not a valid string."),
    ] {
        assert_eq!(record_cash(&desk, id, &body).await, fault(sentence), "{body}");
    }
    assert_eq!(desk.get(&path_of(id)).await.body["data"], before);

    let (status, body) = record_cash(&desk, id, &json!({ "amount": "750.10" })).await;
    let mut expected = before;
    expected["payment_status"] = json!("completed");
    expected["version"] = json!(2);
    assert_eq!(
        (status, timeless(body.clone())),
        (200, timeless(json!({ "error": false, "message": "Cash payment recorded successfully", "data": expected })))
    );
    assert_eq!(desk.get(&path_of(id)).await.body["data"], body["data"]);
    assert_eq!(
        timeline(&pool, id).await,
        json!([["created", null, "confirmed", "customer"], ["paid", "confirmed", "confirmed", "staff:desk"]])
    );
    let (status, body) = record_cash(&desk, id, &json!({ "amount": "750.10" })).await;
    assert_eq!((status, &body["code"]), (409, &json!("ALREADY_PAID")));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_amount_may_be_a_number_too(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "paise": 75_010 })).await;
    assert_eq!(record_cash(&desk, id, &json!({ "amount": 750.10 })).await.0, 200);
    assert_eq!(refund(&desk, id, &json!({ "amount": 750, "reason": "Sorry" })).await.0, 200);
    assert_eq!(refunds(&pool).await, json!([[[75_000, "processed"]], 0]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn cash_for_a_razorpay_booking_changes_its_payment_method(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    sqlx::query("update bookings set payment_method = 'razorpay'").execute(&pool).await.unwrap();
    let (status, body) = record_cash(&desk, id, &json!({ "amount": "390.00" })).await;
    assert_eq!((status, &body["data"]["payment_method"]), (200, &json!("cash")));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn cash_for_a_cancelled_booking_is_refused(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "status": "cancelled" })).await;
    let (status, body) = record_cash(&desk, id, &json!({ "amount": "390.00" })).await;
    assert_eq!((status, &body["code"]), (409, &json!("BOOKING_CANCELLED")));
    assert_eq!(record_cash(&desk, 999, &json!({ "amount": "390.00" })).await.0, 404);
    assert_eq!(refund(&desk, 999, &json!({ "reason": "Sorry" })).await.0, 404);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_cash_payments_are_recorded_once(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let body = json!({ "amount": "390.00" });
    let mut statuses: Vec<u16> =
        join_all((0..10).map(|_| record_cash(&desk, id, &body))).await.into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[200].as_slice(), &[409; 9]].concat());
    let taken: i64 =
        sqlx::query_scalar("select sum(amount_paise)::bigint from captures").fetch_one(&pool).await.unwrap();
    assert_eq!(taken, 39_000);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_completed_cash_booking_counts_as_paid(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "status": "in_progress" })).await;
    desk.patch(&format!("{}update-status/", path_of(id)), &json!({ "status": "completed" })).await;
    let (status, body) = record_cash(&desk, id, &json!({ "amount": "390.00" })).await;
    assert_eq!((status, &body["code"]), (409, &json!("ALREADY_PAID")));
    assert_eq!(refund(&desk, id, &json!({ "reason": "x" })).await.1["data"]["payment_status"], "refunded");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_staff_app_collects_cash_at_its_own_path(pool: PgPool) {
    let desk = desk(&pool).await;
    for (path, message) in [
        ("/api/staff/payments/collect/", "Cash payment recorded successfully"),
        ("/api/staff/staff/payments/collect/", "Cash payment recorded successfully"),
    ] {
        let id = book(&pool, &json!({})).await;
        let body = json!({ "booking_id": id, "amount": "390.00" });
        let answer = desk.post(path, &body).await;
        assert_eq!((answer.status, &answer.body["message"]), (200, &json!(message)));
        assert_eq!(answer.body["data"], desk.get(&path_of(id)).await.body["data"]);
        let again = desk.post(path, &body).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!("ALREADY_PAID")));
    }
    let path = "/api/staff/payments/collect/";
    let faulty = desk.post(path, &json!({})).await;
    let required = json!(["This field is required."]);
    assert_eq!(faulty.body["details"], json!({ "booking_id": required, "amount": required }));
    assert_eq!(desk.post(path, &json!({ "booking_id": 99, "amount": "390.00" })).await.status, 404);
    let keyed = desk.with("Idempotency-Key", "collected-1");
    let id = book(&pool, &json!({})).await;
    let body = json!({ "booking_id": id, "amount": "390.00" });
    let answers = join_all((0..3).map(|_| keyed.post(path, &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "a retry gets the first answer again");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn cash_with_the_key_in_its_body_is_recorded_once(pool: PgPool) {
    let desk = desk(&pool).await;
    let path = format!("{}record-cash/", path_of(book(&pool, &json!({})).await));
    let body = json!({ "amount": "390.00", "idempotency_key": "tap" });
    let first = desk.post(&path, &body).await;
    let retry = desk.post(&path, &body).await;
    assert_eq!((first.status, retry.status, &retry.text), (200, 200, &first.text));
    assert_eq!(retry.header("idempotency-replayed"), "true");
}

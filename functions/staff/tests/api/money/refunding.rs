//! Refunds: whole, in parts, and never more than was paid.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    ids::RefundId,
    payments::refunds::give_up,
};
use sqlx::PgPool;

use super::{fault, record_cash, refund, refunds, refunds_are_done};
use crate::{book, desk, path_of, pay_online, timeline};

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_online_payment_is_refunded_in_parts_and_the_last_marks_the_booking_refunded(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "paise": 75_010, "status": "confirmed" })).await;
    pay_online(&pool, id, "pay_1").await;
    for (amount, sentence) in
        [(Value::Null, "This field may not be null."), (json!(" "), "This field may not be blank.")]
    {
        assert_eq!(refund(&desk, id, &json!({ "amount": amount, "reason": "x" })).await, fault(sentence));
    }
    let (status, body) = refund(&desk, id, &json!({ "amount": "250.05", "reason": " Scratched " })).await;
    let mut expected = desk.get(&path_of(id)).await.body["data"].clone();
    assert_eq!(expected["payment_status"], "completed");
    expected["refunds"] = json!([{ "id": 1, "amount": "250.05", "status": "queued", "reason": "Scratched" }]);
    assert_eq!(
        (status, body),
        (200, json!({ "error": false, "message": "Refund requested successfully", "data": expected }))
    );
    assert_eq!(
        refund(&desk, id, &json!({ "amount": "500.06", "reason": "x" })).await,
        fault("At most 500.05 can be refunded.")
    );
    refunds_are_done(&pool).await;
    assert_eq!(desk.get(&path_of(id)).await.body["data"]["payment_status"], "completed", "a part is not all");

    let (status, body) = refund(&desk, id, &json!({ "reason": "All of it" })).await;
    assert_eq!((status, &body["data"]["refunds"][0]["amount"]), (200, &json!("500.05")));
    assert_eq!(refund(&desk, id, &json!({ "reason": "x" })).await, fault("Nothing is left to be refunded."));
    assert_eq!(desk.get(&path_of(id)).await.body["data"]["payment_status"], "completed", "it is on its way");
    refunds_are_done(&pool).await;
    assert_eq!(desk.get(&path_of(id)).await.body["data"]["payment_status"], "refunded");
    assert_eq!(refunds(&pool).await, json!([[[25_005, "processed"], [50_005, "processed"]], 2]));
    let same = |event: &str, actor: &str| json!([event, "confirmed", "confirmed", actor]);
    assert_eq!(
        timeline(&pool, id).await,
        json!([
            ["created", null, "confirmed", "customer"],
            same("paid", "razorpay"),
            same("refund_requested", "staff:desk"),
            same("refunded", "razorpay"),
            same("refund_requested", "staff:desk"),
            same("refunded", "razorpay"),
        ])
    );
    assert_eq!(record_cash(&desk, id, &json!({ "amount": "750.10" })).await.0, 200, "it can be paid again");
    assert_eq!(desk.get(&path_of(id)).await.body["data"]["payment_status"], "completed");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn cash_is_refunded_at_once(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    assert_eq!(refund(&desk, id, &json!({ "reason": "x" })).await, fault("Nothing is left to be refunded."));
    record_cash(&desk, id, &json!({ "amount": "390.00" })).await;
    let (status, body) = refund(&desk, id, &json!({ "amount": "0.01", "reason": "Rounded" })).await;
    let processed = json!([{ "id": 1, "amount": "0.01", "status": "processed", "reason": "Rounded" }]);
    assert_eq!((status, &body["data"]["refunds"]), (200, &processed));
    assert_eq!(body["data"]["payment_status"], "completed");
    let (_, body) = refund(&desk, id, &json!({ "reason": "Sorry" })).await;
    assert_eq!(body["data"]["payment_status"], "refunded");
    assert_eq!(desk.get(&path_of(id)).await.body["data"]["payment_status"], "refunded");
    assert_eq!(refunds(&pool).await, json!([[[1, "processed"], [38_999, "processed"]], 0]), "nothing for Razorpay");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_overpayment_is_refunded_first(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    pay_online(&pool, id, "pay_1").await;
    pay_online(&pool, id, "pay_2").await;
    // Its automatic refund is given up, as when Razorpay refuses it; then staff request it again.
    let refused: i64 = sqlx::query_scalar("select id from refunds").fetch_one(&pool).await.unwrap();
    let mut transaction = Database::from(pool.clone()).begin().await.unwrap();
    give_up(&mut transaction, RefundId(refused)).await.unwrap();
    transaction.commit().await.unwrap();
    let of = async |refund: i64| -> String {
        sqlx::query_scalar(
            "select gateway_payment_id from refunds join captures on captures.id = capture_id where refunds.id = $1",
        )
        .bind(refund)
        .fetch_one(&pool)
        .await
        .unwrap()
    };
    let (_, body) = refund(&desk, id, &json!({ "amount": "390.00", "reason": "Paid twice" })).await;
    let id_of = |body: &Value, place: usize| body["data"]["refunds"][place]["id"].as_i64().unwrap();
    assert_eq!(of(id_of(&body, 0)).await, "pay_2");
    refunds_are_done(&pool).await;
    assert_eq!(desk.get(&path_of(id)).await.body["data"]["payment_status"], "completed");
    let (_, body) = refund(&desk, id, &json!({ "reason": "All the same" })).await;
    assert_eq!((of(id_of(&body, 0)).await.as_str(), body["data"]["refunds"].as_array().unwrap().len()), ("pay_1", 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_refund_is_refused_and_not_queued(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    pay_online(&pool, id, "pay_1").await;
    let below = fault("Razorpay gives nothing back below 1.00.");
    assert_eq!(refund(&desk, id, &json!({ "amount": "0.99", "reason": "x" })).await, below);
    for (body, field) in [
        (json!({ "amount": "1.00" }), "reason"),
        (json!({ "amount": "1.00", "reason": " " }), "reason"),
        (json!({ "amount": "1.00", "reason": "x".repeat(501) }), "reason"),
        (json!({ "amount": "moon", "reason": "x" }), "amount"),
        (json!({ "amount": "0", "reason": "x" }), "amount"),
    ] {
        let (status, answer) = refund(&desk, id, &body).await;
        let fields: Vec<&str> = answer["details"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((status, fields), (400, vec![field]), "{body}");
    }
    assert_eq!(refunds(&pool).await, json!([[], 0]));
    assert_eq!(refund(&desk, id, &json!({ "amount": "", "reason": "x" })).await, fault("This field may not be blank."));
    assert_eq!(
        refund(&desk, id, &json!({ "amount": null, "reason": "x" })).await,
        fault("This field may not be null.")
    );
    assert_eq!(refunds(&pool).await, json!([[], 0]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_refunds_do_not_exceed_the_payment(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "paise": 75_010 })).await;
    pay_online(&pool, id, "pay_1").await;
    let body = json!({ "amount": "200.00", "reason": "x" });
    let answers = join_all((0..10).map(|_| refund(&desk, id, &body))).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 3);
    assert_eq!(answers.iter().filter(|answer| **answer == fault("At most 150.10 can be refunded.")).count(), 7);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_retry_with_the_same_key_records_cash_or_a_refund_once(pool: PgPool) {
    let desk = desk(&pool).await;
    let (id, other) = (book(&pool, &json!({})).await, book(&pool, &json!({})).await);
    let keyed = desk.with("Idempotency-Key", "counter-1");
    for (route, body, changed) in [
        ("record-cash", json!({ "amount": "390.00" }), json!({ "amount": "389.00" })),
        ("refund", json!({ "amount": "100.00", "reason": "x" }), json!({ "amount": "101.00", "reason": "x" })),
    ] {
        let path = format!("{}{route}/", path_of(id));
        let faulty = keyed.post(&path, &json!({ "amount": "9999.00", "reason": "x" })).await;
        assert_eq!(faulty.status, 400, "a failure leaves the key free");
        let answers = join_all((0..5).map(|_| keyed.post(&path, &body))).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.text), (200, &answers[0].text), "{route}");
        }
        let replayed = answers.iter().filter(|answer| answer.header("idempotency-replayed") == "true").count();
        assert_eq!(replayed, 4, "{route}");
        let reused = keyed.post(&path, &changed).await;
        assert_eq!((reused.status, &reused.body["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")));
        // For another booking the same key is a different one.
        assert_eq!(keyed.post(&format!("{}{route}/", path_of(other)), &body).await.status, 200, "{route}");
    }
    assert_eq!(refunds(&pool).await, json!([[[10_000, "processed"], [10_000, "processed"]], 0]));
}

//! Cash payments and refunds.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::ids::RefundId;
use shared::payments::refunds;
use shared::{
    database::{Database, MIGRATOR},
    razorpay::Refund,
};
use sqlx::PgPool;
use testing::{Client, timeless};

use super::{book, desk, path_of, pay_online, timeline};

async fn record_cash(client: &Client, id: i64, body: &Value) -> (u16, Value) {
    let answer = client.post(&format!("{}record-cash/", path_of(id)), body).await;
    (answer.status, answer.body)
}

async fn refund(client: &Client, id: i64, body: &Value) -> (u16, Value) {
    let answer = client.post(&format!("{}refund/", path_of(id)), body).await;
    (answer.status, answer.body)
}

/// The answer that reports this fault under `amount`.
fn fault(sentence: &str) -> (u16, Value) {
    let message = format!("Amount: {sentence}");
    let body = json!({
        "error": true, "message": message, "status_code": 400, "code": "VALIDATION_ERROR",
        "details": { "amount": [sentence] }, "detail": message
    });
    (400, body)
}

/// Amount and state of every refund, and the number of refund messages in the outbox.
async fn refunds(pool: &PgPool) -> Value {
    sqlx::query_scalar(
        "select json_build_array(
            (select coalesce(json_agg(json_build_array(amount_paise, state) order by id), '[]') from refunds),
            (select count(*) from outbox where kind = 'refund'))",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Records every queued refund as processed by Razorpay.
pub(super) async fn refunds_are_done(pool: &PgPool) {
    let queued: Vec<(String, i64, String)> = sqlx::query_as(
        "select idempotency_key, refunds.amount_paise, gateway_payment_id from refunds
        join captures on captures.id = capture_id where refunds.state = 'queued' order by refunds.id",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    for (receipt, amount, payment_id) in queued {
        let refund: Refund = serde_json::from_value(json!({
            "id": format!("rfnd_{receipt}"), "payment_id": payment_id, "amount": amount, "currency": "INR",
            "status": "processed", "receipt": receipt
        }))
        .unwrap();
        let mut transaction = Database::from(pool.clone()).begin().await.unwrap();
        refunds::record(&mut transaction, &refund).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

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
    refunds::give_up(&mut transaction, RefundId(refused)).await.unwrap();
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
async fn a_refund_that_would_leave_a_stuck_rest_is_refused_with_what_works(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "paise": 55_900 })).await;
    pay_online(&pool, id, "pay_1").await;
    let stuck =
        |works: &str| fault(&format!("{works}: Razorpay gives nothing back below 1.00, so the rest would be stuck."));
    let wanted = |amount: &str| json!({ "amount": amount, "reason": "x" });
    for amount in ["558.50", "558.01", "558.99"] {
        assert_eq!(refund(&desk, id, &wanted(amount)).await, stuck("Refund 559.00, or at most 558.00"), "{amount}");
    }
    assert_eq!(refunds(&pool).await, json!([[], 0]));
    assert_eq!(refund(&desk, id, &wanted("557.50")).await.0, 200);
    assert_eq!(refund(&desk, id, &wanted("1.00")).await, stuck("Refund 1.50"));
    assert_eq!(refund(&desk, id, &wanted("1.50")).await.0, 200);
    assert_eq!(refunds(&pool).await, json!([[[55_750, "queued"], [150, "queued"]], 2]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_existing_rest_is_written_off_when_the_booking_is_cancelled(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "paise": 55_900, "status": "confirmed" })).await;
    pay_online(&pool, id, "pay_1").await;
    // Of before such refunds were refused.
    sqlx::query("update captures set refunded_paise = 55850").execute(&pool).await.unwrap();
    assert_eq!(refund(&desk, id, &json!({ "reason": "x" })).await, fault("Nothing is left to be refunded."));
    desk.patch(&format!("{}update-status/", path_of(id)), &json!({ "status": "cancelled" })).await;
    assert_eq!(refunds(&pool).await, json!([[], 0]));
    let written: Value = sqlx::query_scalar(
        "select json_build_array((select json_agg(json_build_array(mismatch, actor)) from accepted_mismatches),
            (select count(*) from money_not_given_back),
            (select json_agg(event order by id) from booking_events where booking_id = $1))",
    )
    .bind(id)
    .fetch_one(&pool)
    .await
    .unwrap();
    let events = json!(["created", "paid", "cancelled", "written_off"]);
    assert_eq!(written, json!([[["not_given_back", "system"]], 0, events]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn money_given_back_by_hand_is_recorded_with_its_proof(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "paise": 75_010 })).await;
    pay_online(&pool, id, "pay_1").await;
    let by = |by: &str, proof: Value| json!({ "amount": "750.00", "reason": "Late", "by": by, "proof": proof });
    for (body, field, sentence) in [
        (by("hand", json!(null)), "proof", "This field may not be null."),
        (by("hand", json!(" ")), "proof", "This field may not be blank."),
        (json!({ "reason": "Late", "by": "hand" }), "proof", "This field is required."),
        (by("post", json!("x")), "by", "\"post\" is not a valid choice."),
    ] {
        let (status, answer) = refund(&desk, id, &body).await;
        assert_eq!((status, &answer["details"]), (400, &json!({ field: [sentence] })), "{body}");
    }
    let mut transfer = by("hand", json!("UTR 1"));
    transfer["way"] = json!("transfer");
    let (status, body) = refund(&desk, id, &transfer).await;
    let shown = json!([{ "id": 1, "amount": "750.00", "status": "processed", "reason": "Late (UTR 1)" }]);
    assert_eq!((status, &body["data"]["refunds"], &body["data"]["payment_status"]), (200, &shown, &json!("completed")));
    // Razorpay could not give back the rest; by hand it can be.
    let cash = json!({ "reason": "Rest", "by": "hand", "proof": "Signed" });
    let (status, body) = refund(&desk, id, &cash).await;
    assert_eq!((status, &body["data"]["payment_status"]), (200, &json!("refunded")));
    assert_eq!(refunds(&pool).await, json!([[[75_000, "processed"], [10, "processed"]], 0]), "Razorpay is not asked");
    let moved: i64 =
        sqlx::query_scalar("select sum(amount_paise)::bigint from cash_movements").fetch_one(&pool).await.unwrap();
    assert_eq!(moved, -10, "the drawer");
    assert_eq!(refund(&desk, id, &cash).await, fault("Nothing is left to be refunded."));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn after_a_whole_refund_a_booking_is_paid_again_once(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let cash = json!({ "amount": "390.00" });
    assert_eq!(record_cash(&desk, id, &cash).await.0, 200);
    assert_eq!(refund(&desk, id, &json!({ "reason": "x" })).await.1["data"]["payment_status"], "refunded");
    let mut statuses: Vec<u16> =
        join_all((0..5).map(|_| record_cash(&desk, id, &cash))).await.into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409]);
    let paying: Value =
        sqlx::query_scalar("select json_agg(pays_booking order by id) from captures").fetch_one(&pool).await.unwrap();
    assert_eq!(paying, json!([false, true]));
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

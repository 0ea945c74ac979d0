//! Rests that Razorpay cannot give back, and money given back by hand.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{fault, record_cash, refund, refunds};
use crate::{book, desk, path_of, pay_online};

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

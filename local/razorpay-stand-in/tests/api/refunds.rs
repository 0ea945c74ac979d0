//! Refunds.

use std::time::Duration;

use razorpay_stand_in::{Fault, Outcome, RefundOutcome, StandIn};
use serde_json::{Value, json};

use crate::client::{Answer, api, basic, call, events, get, paid, post, refundable};

async fn refund(stand_in: &StandIn, path: &str, key: &str, body: Value) -> Answer {
    let basic = basic();
    let headers =
        [("authorization", basic.as_str()), ("content-type", "application/json"), ("X-Refund-Idempotency", key)];
    call(stand_in, "POST", path, &headers, &body.to_string()).await
}

#[tokio::test]
async fn a_payment_is_refunded_in_parts_until_nothing_is_left() {
    let stand_in = StandIn::start().await;
    let (path, id) = refundable(&stand_in).await;
    let part = json!({"amount": 20_000, "receipt": "rf-1", "notes": {"why": "late"}, "speed": "optimum"});
    let part = post(&stand_in, &path, part).await.good().body;
    let expected = json!({
        "id": part["id"], "entity": "refund", "amount": 20_000, "currency": "INR", "payment_id": id,
        "notes": {"why": "late"}, "receipt": "rf-1", "acquirer_data": part["acquirer_data"],
        "created_at": part["created_at"], "batch_id": null, "status": "processed", "speed_processed": "instant",
        "speed_requested": "optimum",
    });
    assert_eq!(part, expected);
    let payment = stand_in.payment(&id).unwrap();
    assert_eq!((&payment["status"], &payment["refund_status"]), (&json!("captured"), &json!("partial")));
    let too_much = post(&stand_in, &path, json!({"amount": 30_001})).await;
    assert_eq!(too_much.refusal(), (400, "The refund amount provided is greater than amount captured"));

    let rest = post(&stand_in, &path, json!({})).await.good().body;
    assert_eq!((&rest["amount"], &rest["notes"], &rest["receipt"]), (&json!(30_000), &json!([]), &json!(null)));
    let payment = stand_in.payment(&id).unwrap();
    assert_eq!((&payment["status"], &payment["refund_status"]), (&json!("refunded"), &json!("full")));
    assert_eq!(payment["amount_refunded"], 50_000);
    let none_left = post(&stand_in, &path, json!({"amount": 100})).await;
    assert_eq!(none_left.refusal(), (400, "The payment has been fully refunded already"));
    assert_eq!(stand_in.order(payment["order_id"].as_str().unwrap()).unwrap()["status"], "paid");
    assert_eq!(events(&stand_in)[3..], ["refund.created", "refund.processed", "refund.created", "refund.processed"]);
    let told = stand_in.webhooks()[4].json();
    assert_eq!((&told["contains"], &told["payload"]["refund"]["entity"]), (&json!(["refund", "payment"]), &part));
    assert_eq!(told["payload"]["payment"]["entity"]["amount_refunded"], 20_000);
}

#[tokio::test]
async fn refunds_are_found_by_id_and_by_payment() {
    let stand_in = StandIn::start().await;
    let (path, id) = refundable(&stand_in).await;
    let (_, other) = refundable(&stand_in).await;
    let part = post(&stand_in, &path, json!({"amount": 100})).await.good().body;
    let refund_id = part["id"].as_str().unwrap();
    for path in [format!("/v1/refunds/{refund_id}"), format!("/v1/payments/{id}/refunds/{refund_id}")] {
        assert_eq!(get(&stand_in, &path).await.good().body, part);
    }
    for path in ["/v1/refunds".to_owned(), format!("/v1/payments/{id}/refunds")] {
        assert_eq!(get(&stand_in, &path).await.good().body["items"], json!([part]));
    }
    assert_eq!(get(&stand_in, &format!("/v1/payments/{other}/refunds")).await.good().body["count"], 0);
    assert_eq!(get(&stand_in, &format!("/v1/payments/{other}/refunds/{refund_id}")).await.status, 400);
    let path = format!("/v1/refunds/{refund_id}");
    let noted = api(&stand_in, "PATCH", &path, json!({"notes": {"a": "b"}})).await.good().body;
    assert_eq!((&noted["notes"], stand_in.refund(refund_id)), (&json!({"a": "b"}), Some(noted.clone())));
}

#[tokio::test]
async fn a_refused_refund_has_razorpays_error_text() {
    let stand_in = StandIn::start().await;
    let (path, _) = refundable(&stand_in).await;
    for (body, description) in [
        (json!({"amount": 99}), "The amount must be at least INR 1.00"),
        (json!({"amount": "100"}), "The amount must be an integer."),
        (json!({"amount": 100, "reason": "x"}), "reason is/are not required and should not be sent"),
        (json!({"speed": "warp"}), "The selected speed is invalid."),
    ] {
        assert_eq!(post(&stand_in, &path, body).await.refusal(), (400, description));
    }
    let authorized = paid(&stand_in, Outcome::Authorized).await.payment_id;
    let refused = post(&stand_in, &format!("/v1/payments/{authorized}/refund"), json!({})).await;
    assert_eq!(refused.refusal(), (400, "The payment status should be captured for action to be taken"));
    stand_in.change(|settings| settings.has_balance = false);
    assert!(
        post(&stand_in, &path, json!({})).await.refusal().1.starts_with("Your account does not have enough balance")
    );
    assert!(stand_in.refunds().is_empty());
}

#[tokio::test]
async fn a_refund_with_the_same_key_and_body_is_idempotent() {
    let stand_in = StandIn::start().await;
    let (path, _) = refundable(&stand_in).await;
    let first = refund(&stand_in, &path, "refund_0000001", json!({"amount": 200})).await.good().body;
    let again = refund(&stand_in, &path, "refund_0000001", json!({"amount": 200})).await.good().body;
    assert_eq!((first, stand_in.refunds().len()), (again, 1));
    let other = refund(&stand_in, &path, "refund_0000001", json!({"amount": 300})).await;
    let description = "Different request with the same idempotency key has already been processed.";
    assert_eq!(other.refusal(), (409, description));
    assert_eq!(other.body["error"]["source"], "NA");
    let (elsewhere, _) = refundable(&stand_in).await;
    assert_eq!(refund(&stand_in, &elsewhere, "refund_0000001", json!({"amount": 200})).await.status, 409);
    assert_eq!(refund(&stand_in, &path, "short", json!({})).await.status, 400);
    assert_eq!(refund(&stand_in, &path, "with a space", json!({})).await.status, 400);
    refund(&stand_in, &path, "refund_0000002", json!({"amount": 200})).await.good();
    assert_eq!(stand_in.refunds().len(), 2);
}

#[tokio::test]
async fn a_key_in_progress_is_a_conflict() {
    let stand_in = StandIn::start().await;
    let (path, _) = refundable(&stand_in).await;
    stand_in.spoil(&path, Fault::delay(Duration::from_millis(300)));
    let slow = refund(&stand_in, &path, "refund_0000001", json!({}));
    let quick = async {
        while stand_in.calls(&path) == 0 {
            tokio::task::yield_now().await;
        }
        refund(&stand_in, &path, "refund_0000001", json!({})).await
    };
    let (slow, quick) = tokio::join!(slow, quick);
    let description = "Another request with the same idempotency key is still in progress.";
    assert_eq!(quick.refusal(), (409, description));
    let again = refund(&stand_in, &path, "refund_0000001", json!({})).await.good();
    assert_eq!(again.body, slow.good().body);
}

#[tokio::test]
async fn a_refund_is_pending_for_the_refund_delay() {
    let stand_in = StandIn::start().await;
    stand_in.change(|settings| settings.refund_delay = Duration::from_hours(24));
    let (path, _) = refundable(&stand_in).await;
    let pending = post(&stand_in, &path, json!({})).await.good();
    assert_eq!(pending.body["status"], "pending");
    assert_eq!(events(&stand_in)[3..], ["refund.created"]);
    stand_in.advance(Duration::from_hours(24));
    assert_eq!(stand_in.refund(&pending.text_of("id")).unwrap()["status"], "processed");
    assert_eq!(events(&stand_in)[4..], ["refund.processed"]);
}

#[tokio::test]
async fn a_failed_refund_gives_the_amount_back_to_the_payment() {
    let stand_in = StandIn::start().await;
    stand_in.change(|settings| settings.refund_delay = Duration::from_hours(24));
    let (path, id) = refundable(&stand_in).await;
    // As in Razorpay's test mode, this amount makes the refund fail.
    let by_amount = post(&stand_in, &path, json!({"amount": 2468})).await.good().text_of("id");
    let by_hook = post(&stand_in, &path, json!({"amount": 500})).await.good().text_of("id");
    stand_in.end_refund(&by_hook, RefundOutcome::Failed).unwrap();
    assert_eq!(stand_in.end_refund(&by_hook, RefundOutcome::Processed).unwrap_err(), "The refund is failed already");
    stand_in.advance(Duration::from_hours(24));
    assert_eq!(stand_in.refund(&by_amount).unwrap()["status"], "failed");
    let payment = stand_in.payment(&id).unwrap();
    assert_eq!((&payment["amount_refunded"], &payment["refund_status"]), (&json!(0), &json!(null)));
    assert_eq!(events(&stand_in)[5..], ["refund.failed", "refund.failed"]);
    post(&stand_in, &path, json!({"amount": 50_000})).await.good();
}

#[tokio::test]
async fn a_pending_refund_ends_after_its_delay_without_a_call() {
    let stand_in = StandIn::start().await;
    let (path, _) = refundable(&stand_in).await;
    // A refund of this amount fails, and is pending first under any settings.
    let pending = post(&stand_in, &path, json!({"amount": 2468})).await.good();
    assert_eq!(pending.body["status"], "pending");
    stand_in.change(|settings| settings.refund_delay = Duration::from_millis(5));
    post(&stand_in, &path, json!({"amount": 100})).await.good();
    let has_ended = async {
        while stand_in.refunds().iter().any(|refund| refund["status"] == "pending") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), has_ended).await.unwrap();
    let statuses: Vec<_> = stand_in.refunds().iter().map(|refund| refund["status"].clone()).collect();
    assert_eq!(statuses, ["failed", "processed"]);
}

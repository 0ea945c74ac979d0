//! Payments at checkout.

use razorpay_stand_in::{Attempt, Outcome, StandIn};
use serde_json::json;

use crate::client::{attempt, events, get, hook, order, paid};

#[tokio::test]
async fn a_captured_payment_pays_the_order_and_sends_three_webhooks() {
    let stand_in = StandIn::start().await;
    let id = order(&stand_in, 50_000).await;
    let body = json!({"order_id": id, "outcome": "captured", "webhooks": true});
    let browser = hook(&stand_in, "POST", "/_checkout", body).await.good();
    assert_eq!(browser.body["razorpay_order_id"], id);
    assert_eq!(browser.text_of("razorpay_signature").len(), 64);
    let payment = get(&stand_in, &format!("/v1/payments/{}", browser.text_of("razorpay_payment_id"))).await.good().body;
    assert_eq!((&payment["status"], &payment["captured"]), (&json!("captured"), &json!(true)));
    assert_eq!((&payment["fee"], &payment["tax"]), (&json!(1180), &json!(180)));
    let paid = stand_in.order(&id).unwrap();
    assert_eq!((&paid["status"], &paid["attempts"]), (&json!("paid"), &json!(1)));
    assert_eq!((&paid["amount_paid"], &paid["amount_due"]), (&json!(50_000), &json!(0)));

    assert_eq!(events(&stand_in), ["payment.authorized", "payment.captured", "order.paid"]);
    let webhooks = stand_in.webhooks();
    let first = webhooks[0].json();
    assert_eq!(first["payload"]["payment"]["entity"]["status"], "authorized");
    let last = webhooks[2].json();
    let envelope = json!({
        "entity": "event", "account_id": "acc_Local000000000", "event": "order.paid", "contains": ["payment", "order"],
        "payload": {"payment": {"entity": payment}, "order": {"entity": paid}}, "created_at": last["created_at"],
    });
    assert_eq!(last, envelope);
    assert_eq!(webhooks[2].header("content-type"), Some("application/json"));
    assert_eq!(webhooks[2].header("X-Razorpay-Event-Id"), Some(webhooks[2].event_id.as_str()));
    assert_ne!(webhooks[1].event_id, webhooks[2].event_id);
}

#[tokio::test]
async fn a_failed_payment_has_no_signature_and_leaves_the_order_open() {
    let stand_in = StandIn::start().await;
    let id = order(&stand_in, 50_000).await;
    let failed = json!({"order_id": id, "outcome": "failed", "reason": "payment_timed_out"});
    let browser = hook(&stand_in, "POST", "/_checkout", failed).await.good().body;
    assert_eq!(browser["razorpay_signature"], json!(null));
    assert_eq!(browser["error"]["reason"], "payment_timed_out");
    assert_eq!(browser["error"]["metadata"], json!({"order_id": id, "payment_id": browser["razorpay_payment_id"]}));
    assert_eq!(stand_in.order(&id).unwrap()["status"], "attempted");
    assert_eq!(events(&stand_in), ["payment.failed"]);

    stand_in.checkout(&id, Outcome::Captured);
    let tried = get(&stand_in, &format!("/v1/orders/{id}/payments")).await.good().body;
    assert_eq!((&tried["count"], &tried["items"][1]["status"]), (&json!(2), &json!("failed")));
    assert_eq!(stand_in.order(&id).unwrap()["attempts"], 2);
}

#[tokio::test]
async fn a_paid_order_refuses_a_payment_unless_second_is_set() {
    let stand_in = StandIn::start().await;
    let id = paid(&stand_in, Outcome::Captured).await.order_id;
    let refused = hook(&stand_in, "POST", "/_checkout", json!({"order_id": id, "outcome": "captured"})).await;
    assert!(refused.refusal().1.starts_with("Your payment has been declined as the order is already paid."));

    let second = stand_in.pay(&Attempt { second: true, ..attempt(&id, Outcome::Captured) }).unwrap();
    assert_eq!(stand_in.payment(&second.payment_id).unwrap()["status"], "captured");
    assert_eq!(stand_in.order(&id).unwrap()["amount_paid"], 50_000);

    let third = stand_in.pay(&Attempt { second: true, ..attempt(&id, Outcome::Authorized) }).unwrap();
    let third = stand_in.payment(&third.payment_id).unwrap();
    assert_eq!((&third["status"], &third["captured"]), (&json!("refunded"), &json!(false)));
    assert_eq!(events(&stand_in)[5..], ["payment.authorized", "refund.created", "refund.processed"]);
}

#[tokio::test]
async fn an_order_with_an_authorized_payment_refuses_another() {
    let stand_in = StandIn::start().await;
    let id = paid(&stand_in, Outcome::Authorized).await.order_id;
    assert!(stand_in.pay(&attempt(&id, Outcome::Captured)).is_err());
    assert_eq!(stand_in.order(&id).unwrap()["status"], "attempted");
}

#[tokio::test]
async fn a_failed_payment_can_be_authorized_and_captured_late() {
    let stand_in = StandIn::start().await;
    let failed = paid(&stand_in, Outcome::Failed).await;
    let path = format!("/_payments/{}", failed.payment_id);
    let late = hook(&stand_in, "POST", &path, json!({"status": "authorized"})).await.good().body;
    assert_eq!((&late["status"], &late["error_code"]), (&json!("authorized"), &json!(null)));
    hook(&stand_in, "POST", &path, json!({"status": "captured"})).await.good();
    assert_eq!(stand_in.order(&failed.order_id).unwrap()["status"], "paid");
    assert_eq!(events(&stand_in), ["payment.failed", "payment.authorized", "payment.captured", "order.paid"]);
    assert_eq!(hook(&stand_in, "POST", &path, json!({"status": "failed"})).await.status, 400);

    let hanging = paid(&stand_in, Outcome::Created).await;
    assert_eq!((hanging.signature.as_str(), stand_in.webhooks().len()), ("", 4));
    stand_in.move_payment(&hanging.payment_id, Outcome::Captured).unwrap();
    assert_eq!(stand_in.webhooks().len(), 7);
}

#[tokio::test]
async fn an_attempt_can_override_amount_and_currency() {
    let stand_in = StandIn::start().await;
    let id = order(&stand_in, 50_000).await;
    let body = json!({"order_id": id, "outcome": "captured", "amount": 400, "currency": "USD", "method": "card",
                      "notes": {"bike": "Hero"}, "webhooks": false});
    let answer = hook(&stand_in, "POST", "/_checkout", body).await.good();
    let payment = stand_in.payment(&answer.text_of("razorpay_payment_id")).unwrap();
    assert_eq!((&payment["amount"], &payment["currency"]), (&json!(400), &json!("USD")));
    assert_eq!((&payment["card"]["id"], &payment["vpa"]), (&payment["card_id"], &json!(null)));
    assert_eq!(stand_in.order(&id).unwrap()["amount_due"], 49_600);
    assert!(stand_in.webhooks().is_empty());
    assert_eq!(hook(&stand_in, "POST", "/_checkout", json!({"order": id})).await.status, 400);
    let nobody = hook(&stand_in, "POST", "/_checkout", json!({"order_id": "order_00000000000000"})).await;
    assert_eq!(nobody.refusal(), (400, "The id provided does not exist"));
}

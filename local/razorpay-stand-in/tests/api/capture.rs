//! Capture through the API.

use std::time::Duration;

use razorpay_stand_in::{Attempt, Outcome, StandIn};
use serde_json::json;

use crate::client::{attempt, events, paid, post};

#[tokio::test]
async fn a_capture_pays_the_order_and_sends_webhooks() {
    let stand_in = StandIn::start().await;
    let authorized = paid(&stand_in, Outcome::Authorized).await;
    let path = format!("/v1/payments/{}/capture", authorized.payment_id);
    let body = json!({"amount": 50_000, "currency": "INR"});
    let captured = post(&stand_in, &path, body.clone()).await.good().body;
    assert_eq!((&captured["status"], &captured["captured"]), (&json!("captured"), &json!(true)));
    assert_eq!(stand_in.order(&authorized.order_id).unwrap()["status"], "paid");
    assert_eq!(events(&stand_in), ["payment.authorized", "payment.captured", "order.paid"]);
    let again = post(&stand_in, &path, body).await;
    assert_eq!(again.refusal(), (400, "This payment has already been captured"));
    assert_eq!(stand_in.webhooks().len(), 3);
}

#[tokio::test]
async fn a_refused_capture_has_razorpays_error_text() {
    let stand_in = StandIn::start().await;
    let authorized = paid(&stand_in, Outcome::Authorized).await;
    let path = format!("/v1/payments/{}/capture", authorized.payment_id);
    for (body, description) in [
        (json!({"amount": 400, "currency": "INR"}), "Capture amount must be equal to the amount authorized"),
        (
            json!({"amount": 50_000, "currency": "USD"}),
            "Payment currency and the currency passed in the request do not match",
        ),
        (json!({"amount": "50000", "currency": "INR"}), "The amount must be an integer."),
        (json!({"currency": "INR"}), "The amount field is required."),
    ] {
        assert_eq!(post(&stand_in, &path, body).await.refusal(), (400, description));
    }
    let failed = paid(&stand_in, Outcome::Failed).await.payment_id;
    let body = json!({"amount": 50_000, "currency": "INR"});
    let refused = post(&stand_in, &format!("/v1/payments/{failed}/capture"), body.clone()).await;
    assert!(refused.refusal().1.starts_with("Only payments which have been authorized"));

    let second = Attempt { second: true, ..attempt(&authorized.order_id, Outcome::Captured) };
    stand_in.pay(&second).unwrap();
    assert!(post(&stand_in, &path, body).await.refusal().1.contains("the order is already paid"));
}

#[tokio::test]
async fn an_uncaptured_payment_is_refunded_after_three_days() {
    let stand_in = StandIn::start().await;
    let id = paid(&stand_in, Outcome::Authorized).await.payment_id;
    stand_in.advance(Duration::from_hours(71));
    assert_eq!(stand_in.payment(&id).unwrap()["status"], "authorized");
    stand_in.advance(Duration::from_hours(1));
    let payment = stand_in.payment(&id).unwrap();
    assert_eq!((&payment["status"], &payment["captured"]), (&json!("refunded"), &json!(false)));
    assert_eq!((&payment["amount_refunded"], &payment["refund_status"]), (&json!(50_000), &json!("full")));
    assert_eq!(stand_in.refunds()[0]["status"], "processed");
    assert_eq!(events(&stand_in), ["payment.authorized", "refund.created", "refund.processed"]);
}

//! Payments.

use razorpay_stand_in::{Outcome, StandIn};
use serde_json::json;

use crate::client::{api, get, paid};

#[tokio::test]
async fn a_payment_has_all_fields() {
    let stand_in = StandIn::start().await;
    let paid = paid(&stand_in, Outcome::Authorized).await;
    let payment = get(&stand_in, &format!("/v1/payments/{}", paid.payment_id)).await.good().body;
    let expected = json!({
        "id": paid.payment_id, "entity": "payment", "amount": 50_000, "currency": "INR", "status": "authorized",
        "order_id": paid.order_id, "invoice_id": null, "international": false, "method": "upi", "amount_refunded": 0,
        "refund_status": null, "captured": false, "description": null, "card_id": null, "bank": null, "wallet": null,
        "vpa": "success@razorpay", "email": "customer@example.com", "contact": "+919000090000", "notes": [],
        "fee": null, "tax": null, "error_code": null, "error_description": null, "error_source": null,
        "error_step": null, "error_reason": null, "acquirer_data": payment["acquirer_data"],
        "created_at": payment["created_at"], "upi": {"vpa": "success@razorpay"},
    });
    assert_eq!(payment, expected);
    assert_eq!(payment["acquirer_data"]["rrn"].as_str().unwrap().len(), 12);
}

#[tokio::test]
async fn payments_are_listed_newest_first_and_take_notes() {
    let stand_in = StandIn::start().await;
    let first = paid(&stand_in, Outcome::Failed).await.payment_id;
    let second = paid(&stand_in, Outcome::Captured).await.payment_id;
    let list = get(&stand_in, "/v1/payments?count=100").await.good().body;
    assert_eq!((&list["items"][0]["id"], &list["items"][1]["id"]), (&json!(second), &json!(first)));
    let noted = api(&stand_in, "PATCH", &format!("/v1/payments/{first}"), json!({"notes": {"a": "b"}})).await.good();
    assert_eq!(noted.body["notes"], json!({"a": "b"}));
}

#[tokio::test]
async fn a_test_can_change_anything_about_a_payment() {
    let stand_in = StandIn::start().await;
    let id = paid(&stand_in, Outcome::Captured).await.payment_id;
    stand_in.change_payment(&id, |payment| {
        payment["amount"] = json!(1);
        payment["status"] = json!("pondering");
    });
    let payment = get(&stand_in, &format!("/v1/payments/{id}")).await.good().body;
    assert_eq!((&payment["amount"], &payment["status"]), (&json!(1), &json!("pondering")));
}

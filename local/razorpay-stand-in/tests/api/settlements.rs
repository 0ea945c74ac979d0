//! Disputes, the fee that a customer bears, and the settlement report.

use chrono::{Datelike, FixedOffset, Utc};
use razorpay_stand_in::{Attempt, Outcome, StandIn};
use serde_json::{Value, json};

use crate::client::{attempt, events, get, hook, order, post, refundable};

/// The query for the report of this day in India.
fn today() -> String {
    let now = Utc::now().with_timezone(&FixedOffset::east_opt(19_800).unwrap());
    format!("year={}&month={}&day={}", now.year(), now.month(), now.day())
}

#[tokio::test]
async fn a_dispute_is_opened_and_ended_by_hooks_and_told_by_webhooks() {
    let stand_in = StandIn::start().await;
    let (_, payment) = refundable(&stand_in).await;
    let opened = hook(&stand_in, "POST", "/_disputes", json!({"payment_id": payment, "amount": 20_000})).await.good();
    assert_eq!((&opened.body["status"], &opened.body["amount"]), (&json!("open"), &json!(20_000)));
    let path = format!("/_disputes/{}", opened.text_of("id"));
    let lost = hook(&stand_in, "POST", &path, json!({"status": "lost"})).await.good();
    assert_eq!((&lost.body["status"], &lost.body["amount_deducted"]), (&json!("lost"), &json!(20_000)));
    assert_eq!(hook(&stand_in, "POST", &path, json!({"status": "won"})).await.status, 400, "it has ended");
    let told = events(&stand_in);
    assert_eq!(told[told.len() - 2..], ["payment.dispute.created", "payment.dispute.lost"]);
}

#[tokio::test]
async fn a_fee_that_the_customer_bears_is_added_to_the_order() {
    let stand_in = StandIn::start().await;
    let order_id = order(&stand_in, 50_000).await;
    let bearing = Attempt { customer_bears_fee: true, ..attempt(&order_id, Outcome::Captured) };
    let payment = stand_in.payment(&stand_in.pay(&bearing).unwrap().payment_id).unwrap();
    let told = (&payment["amount"], &payment["fee"], &payment["fee_bearer"]);
    assert_eq!(told, (&json!(51_180), &json!(1180), &json!("customer")));
    assert_eq!(stand_in.order(&order_id).unwrap()["status"], "paid");
}

#[tokio::test]
async fn the_settlement_report_has_payments_refunds_and_lost_disputes_in_pages() {
    let stand_in = StandIn::start().await;
    let (refund, payment) = refundable(&stand_in).await;
    post(&stand_in, &refund, json!({"amount": 10_000})).await.good();
    let dispute = stand_in.dispute(&payment, None).unwrap()["id"].as_str().unwrap().to_owned();
    stand_in.end_dispute(&dispute, razorpay_stand_in::DisputeOutcome::Lost).unwrap();
    let path = format!("/v1/settlements/recon/combined?{}", today());
    let kinds = |body: &Value| -> Value {
        let entry = |entry: &Value| json!([entry["type"], entry["debit"], entry["credit"]]);
        body["items"].as_array().unwrap().iter().map(entry).collect()
    };
    let all = get(&stand_in, &format!("{path}&count=1000")).await.good().body;
    assert_eq!(kinds(&all), json!([["payment", 0, 48_820], ["refund", 10_000, 0], ["adjustment", 50_000, 0]]));
    let page = get(&stand_in, &format!("{path}&count=1&skip=1")).await.good().body;
    assert_eq!(kinds(&page), json!([["refund", 10_000, 0]]));
    let another = get(&stand_in, "/v1/settlements/recon/combined?year=2020&month=1&day=1").await.good().body;
    assert_eq!(another["count"], 0);
    assert_eq!(get(&stand_in, "/v1/settlements/recon/combined?year=2020&month=13").await.status, 400);
}

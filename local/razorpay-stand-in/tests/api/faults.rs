//! Fault injection.

use std::time::Duration;

use razorpay_stand_in::{Fault, StandIn};
use serde_json::json;

use crate::client::{basic, get, hook, post, raw, refundable};

const ORDERS: &str = "/v1/orders";

#[tokio::test]
async fn a_fault_affects_its_number_of_calls_and_no_more() {
    let stand_in = StandIn::start().await;
    stand_in.spoil(ORDERS, Fault::rate_limited());
    stand_in.spoil(ORDERS, Fault::server_error().times(2));
    let body = json!({"amount": 500, "currency": "INR"});
    assert_eq!(post(&stand_in, ORDERS, body.clone()).await.status, 429);
    for _ in 0..2 {
        let trouble = post(&stand_in, ORDERS, body.clone()).await;
        assert_eq!((trouble.status, &trouble.body["error"]["code"]), (500, &json!("SERVER_ERROR")));
    }
    post(&stand_in, ORDERS, body).await.good();
    assert_eq!((stand_in.calls(ORDERS), stand_in.orders().len()), (4, 1));
    assert_eq!(stand_in.all_calls(), vec![format!("POST {ORDERS}"); 4]);
}

#[tokio::test]
async fn an_order_is_created_although_its_answer_is_lost() {
    let stand_in = StandIn::start().await;
    stand_in.spoil(ORDERS, Fault::lost().method("POST"));
    let key = basic();
    get(&stand_in, ORDERS).await.good();
    let body = json!({"amount": 500, "currency": "INR", "receipt": "ord-1"}).to_string();
    assert_eq!(raw(&stand_in, "POST", ORDERS, &[("authorization", &key)], &body).await, "");
    let found = get(&stand_in, "/v1/orders?receipt=ord-1").await.good().body;
    assert_eq!((&found["count"], &found["items"][0]["amount"]), (&json!(1), &json!(500)));
}

#[tokio::test]
async fn a_connection_closed_before_the_call_has_no_effect() {
    let stand_in = StandIn::start().await;
    stand_in.spoil(ORDERS, Fault::closed());
    let key = basic();
    let body = json!({"amount": 500, "currency": "INR"}).to_string();
    assert_eq!(raw(&stand_in, "POST", ORDERS, &[("authorization", &key)], &body).await, "");
    assert!(stand_in.orders().is_empty());
}

#[tokio::test]
async fn a_refund_is_made_although_its_answer_is_an_error() {
    let stand_in = StandIn::start().await;
    let (path, id) = refundable(&stand_in).await;
    let fault = json!({"path": path, "after": true, "status": 502, "body": "<html>bad gateway</html>"});
    hook(&stand_in, "POST", "/_faults", fault).await.good();
    let spoiled = post(&stand_in, &path, json!({"amount": 200})).await;
    assert_eq!((spoiled.status, spoiled.text.as_str()), (502, "<html>bad gateway</html>"));
    assert!(spoiled.headers.contains("text/html"));
    assert_eq!(stand_in.refunds()[0]["payment_id"], id);
    stand_in.spoil(&path, Fault::status(504).after());
    assert_eq!(post(&stand_in, &path, json!({"amount": 200})).await.status, 504);
    assert_eq!(stand_in.refunds().len(), 2);
}

#[tokio::test]
async fn faults_can_be_set_over_http_and_never_affect_hooks() {
    let stand_in = StandIn::start().await;
    for fault in [
        json!({"path": ORDERS, "body": "busy", "status": 429, "headers": {"Retry-After": 3}}),
        json!({"path": ORDERS, "delay_ms": 1}),
        json!({"path": ORDERS, "body": {"odd": true}}),
        json!({"path": ORDERS, "status": 500, "times": 9}),
        json!({"path": "/_clock", "status": 500}),
    ] {
        hook(&stand_in, "POST", "/_faults", fault).await.good();
    }
    let busy = get(&stand_in, ORDERS).await;
    assert_eq!((busy.status, busy.text.as_str()), (429, "busy"));
    assert!(busy.headers.contains("retry-after: 3"));
    get(&stand_in, ORDERS).await.good();
    assert_eq!(get(&stand_in, ORDERS).await.good().body, json!({"odd": true}));
    assert_eq!(get(&stand_in, ORDERS).await.status, 500);
    hook(&stand_in, "POST", "/_clock", json!({"advance_seconds": 1})).await.good();
    hook(&stand_in, "DELETE", "/_faults", json!({})).await.good();
    get(&stand_in, ORDERS).await.good();
    assert_eq!(hook(&stand_in, "POST", "/_faults", json!({"pth": ORDERS})).await.status, 400);
}

#[tokio::test]
async fn a_call_that_its_client_gives_up_during_a_delay_has_no_effect() {
    let stand_in = StandIn::start().await;
    stand_in.spoil(ORDERS, Fault::delay(Duration::from_hours(1)));
    let patience = Duration::from_millis(50);
    let body = json!({"amount": 500, "currency": "INR"});
    assert!(tokio::time::timeout(patience, post(&stand_in, ORDERS, body)).await.is_err());
    assert!(stand_in.orders().is_empty());
}

//! Orders.

use razorpay_stand_in::{Outcome, ReceiptPolicy, StandIn};
use serde_json::{Value, json};

use crate::client::{Answer, api, attempt, basic, call, get, order, post};

async fn create(stand_in: &StandIn, body: Value) -> Answer {
    post(stand_in, "/v1/orders", body).await
}

#[tokio::test]
async fn a_new_order_has_all_fields_and_notes_that_are_an_array() {
    let stand_in = StandIn::start().await;
    let new = create(&stand_in, json!({"amount": 50_000, "currency": "INR", "receipt": "ord-1"})).await.good();
    assert!(new.headers.contains("content-type: application/json"));
    let id = new.text_of("id");
    assert!(id.starts_with("order_") && id.len() == 20, "{id}");
    let created_at = new.body["created_at"].as_i64().unwrap();
    let expected = json!({
        "id": id, "entity": "order", "amount": 50_000, "amount_paid": 0, "amount_due": 50_000, "currency": "INR",
        "receipt": "ord-1", "offer_id": null, "status": "created", "attempts": 0, "notes": [], "created_at": created_at,
    });
    assert_eq!(new.body, expected);
    assert_eq!(get(&stand_in, &format!("/v1/orders/{id}")).await.good().body, expected);
    assert_eq!(stand_in.order(&id), Some(expected));
}

#[tokio::test]
async fn an_order_can_be_sent_as_a_form() {
    let stand_in = StandIn::start().await;
    let key = basic();
    let headers = [("authorization", key.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let form = "amount=50000&currency=INR&receipt=a%20b&notes[city]=Pune&notes[bike]=Hero+X";
    let new = call(&stand_in, "POST", "/v1/orders", &headers, form).await.good().body;
    assert_eq!((&new["amount"], &new["receipt"]), (&json!(50_000), &json!("a b")));
    assert_eq!(new["notes"], json!({"city": "Pune", "bike": "Hero X"}));
}

#[tokio::test]
async fn a_refused_order_has_razorpays_error_text() {
    let stand_in = StandIn::start().await;
    let long = "r".repeat(41);
    let many: Value = (0..16).map(|number| (number.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    let cases = [
        (json!({"currency": "INR"}), "The amount field is required."),
        (json!({"amount": 100}), "The currency field is required."),
        (json!({"amount": 99, "currency": "INR"}), "Order amount less than minimum amount allowed"),
        (json!({"amount": 50_000_001, "currency": "INR"}), "Amount exceeds maximum amount allowed."),
        (json!({"amount": "500", "currency": "INR"}), "The amount must be an integer."),
        (json!({"amount": 500.5, "currency": "INR"}), "The amount must be an integer."),
        (json!({"amount": 500, "currency": "inr"}), "Currency is not supported"),
        (json!({"amount": 500, "currency": "INR", "receipt": long}), "receipt: the length must be no more than 40."),
        (
            json!({"amount": 500, "currency": "INR", "reciept": "x"}),
            "reciept is/are not required and should not be sent",
        ),
        (
            json!({"amount": 500, "currency": "INR", "notes": many}),
            "The notes may have up to 15 pairs of at most 256 characters each.",
        ),
    ];
    for (body, description) in cases {
        assert_eq!(create(&stand_in, body).await.refusal(), (400, description));
    }
    let whole = create(&stand_in, json!({"amount": "500", "currency": "INR"})).await.body;
    let error = json!({
        "code": "BAD_REQUEST_ERROR", "description": "The amount must be an integer.", "source": "business",
        "step": "payment_initiation", "reason": "input_validation_failed", "metadata": {}, "field": "amount",
    });
    assert_eq!(whole, json!({"error": error}));
    assert!(stand_in.orders().is_empty());
}

#[tokio::test]
async fn unknown_ids_and_urls_are_400_and_a_wrong_key_is_401() {
    let stand_in = StandIn::start().await;
    for path in ["orders/order_00000000000000", "payments/pay_00000000000000", "refunds/rfnd_00000000000000"] {
        let unknown = get(&stand_in, &format!("/v1/{path}")).await;
        assert_eq!(unknown.refusal(), (400, "The id provided does not exist"));
    }
    assert_eq!(get(&stand_in, "/v1/orders/17").await.refusal(), (400, "17 is not a valid id"));
    let nowhere = get(&stand_in, "/v1/customers").await;
    assert_eq!(nowhere.refusal(), (400, "The requested URL was not found on the server."));
    assert_eq!(nowhere.body["error"]["reason"], "NA");
    let authentication = json!({"error": {"code": "BAD_REQUEST_ERROR", "description": "Authentication failed"}});
    for key in ["", "Basic cnpwX3Rlc3Q6", "Bearer x", &basic().replace("Basic", "basic")] {
        let refused = call(&stand_in, "GET", "/v1/orders", &[("authorization", key)], "").await;
        assert_eq!((refused.status, &refused.body), (401, &authentication));
    }
    stand_in.change(|settings| settings.unauthenticated_status = 400);
    assert_eq!(call(&stand_in, "GET", "/v1/orders", &[], "").await.status, 400);
}

#[tokio::test]
async fn orders_are_found_by_receipt_and_listed_by_page() {
    let stand_in = StandIn::start().await;
    for number in 0..12 {
        let receipt = format!("ord-{}", number % 4);
        create(&stand_in, json!({"amount": 1000 + number, "currency": "INR", "receipt": receipt})).await.good();
    }
    let amounts = async |query: &str| {
        let list = get(&stand_in, &format!("/v1/orders{query}")).await.good().body;
        assert_eq!(
            (&list["entity"], &list["count"]),
            (&json!("collection"), &json!(list["items"].as_array().unwrap().len()))
        );
        list["items"].as_array().unwrap().iter().map(|item| item["amount"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(amounts("?receipt=ord-1").await, [1009, 1005, 1001]);
    assert_eq!(amounts("").await.len(), 10);
    assert_eq!(amounts("?count=2&skip=1").await, [1010, 1009]);
    assert_eq!(amounts("?receipt=none").await, [0; 0]);
    assert_eq!(amounts("?to=946684800").await, [0; 0]);
    assert_eq!(amounts("?from=946684800&count=100").await.len(), 12);
    assert_eq!(get(&stand_in, "/v1/orders?count=101").await.status, 400);
    assert_eq!(get(&stand_in, "/v1/orders?skip=x").await.refusal(), (400, "The skip must be an integer."));
}

#[tokio::test]
async fn a_list_of_orders_shows_their_payments_when_asked() {
    let stand_in = StandIn::start().await;
    let (first, second) = (order(&stand_in, 500).await, order(&stand_in, 600).await);
    stand_in.checkout(&first, Outcome::Failed);
    stand_in.checkout(&first, Outcome::Authorized);
    for query in ["expand[]=payments", "expand%5Bexpand%5B%5D%5D%5B%5D=payments"] {
        let list = get(&stand_in, &format!("/v1/orders?{query}")).await.good().body;
        assert_eq!(list["items"][0]["payments"]["count"], 0);
        assert_eq!(list["items"][1]["payments"]["items"][0]["status"], "authorized");
    }
    let authorized = get(&stand_in, "/v1/orders?authorized=1").await.good().body;
    assert_eq!((&authorized["count"], &authorized["items"][0]["id"]), (&json!(1), &json!(first)));
    assert_eq!(get(&stand_in, "/v1/orders?authorized=0").await.body["items"][0]["id"], second);
}

#[tokio::test]
async fn only_the_notes_of_an_order_can_change() {
    let stand_in = StandIn::start().await;
    let path = format!("/v1/orders/{}", order(&stand_in, 500).await);
    let changed = api(&stand_in, "PATCH", &path, json!({"notes": {"bike": "Hero"}})).await.good();
    assert_eq!(changed.body["notes"], json!({"bike": "Hero"}));
    assert_eq!(api(&stand_in, "PATCH", &path, json!({"notes": {}})).await.good().body["notes"], json!([]));
    assert_eq!(api(&stand_in, "PATCH", &path, json!({"amount": 1})).await.status, 400);
}

#[tokio::test]
async fn a_receipt_may_be_used_again_unless_the_settings_forbid_it() {
    let stand_in = StandIn::start().await;
    let body = json!({"amount": 500, "currency": "INR", "receipt": "ord-1"});
    create(&stand_in, body.clone()).await.good();
    let second = create(&stand_in, body.clone()).await.good().text_of("id");
    stand_in.change(|settings| settings.receipts = ReceiptPolicy::Unique);
    let refused = create(&stand_in, body.clone()).await;
    assert_eq!(refused.refusal(), (400, "Order receipt should be unique."));
    assert_eq!(refused.body["error"]["metadata"], json!({"order_id": second}));
    let mut same = body;
    same["unique_receipt"] = json!(true);
    assert_eq!(create(&stand_in, same).await.good().text_of("id"), second);
}

#[tokio::test]
async fn an_order_can_have_manual_capture() {
    let stand_in = StandIn::start().await;
    for (extra, status) in [
        (json!({}), "captured"),
        (json!({"payment_capture": 0}), "authorized"),
        (json!({"payment_capture": 1}), "captured"),
        (json!({"payment": {"capture": "manual"}}), "authorized"),
    ] {
        let mut body = json!({"amount": 500, "currency": "INR"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let id = create(&stand_in, body).await.good().text_of("id");
        let mut undecided = attempt(&id, Outcome::Captured);
        undecided.outcome = None;
        let paid = stand_in.pay(&undecided).unwrap();
        assert_eq!(stand_in.payment(&paid.payment_id).unwrap()["status"], status);
    }
    let odd = json!({"amount": 500, "currency": "INR", "payment": {"capture": "later"}});
    assert_eq!(create(&stand_in, odd).await.status, 400);
}

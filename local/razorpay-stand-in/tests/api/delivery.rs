//! The delivery of webhooks.

use std::time::Duration;

use razorpay_stand_in::{Outcome, StandIn, sign};
use serde_json::{Value, json};

use crate::{
    client::{hook, order, paid, post},
    endpoint::Endpoint,
};

const ALL: [&str; 3] = ["payment.authorized", "payment.captured", "order.paid"];

/// A stand-in that delivers to this endpoint and retries without a pause.
async fn delivering(endpoint: &Endpoint) -> StandIn {
    let stand_in = StandIn::start().await;
    stand_in.change(|settings| settings.webhook_retries = vec![Duration::ZERO; 3]);
    stand_in.deliver_to(&endpoint.url);
    stand_in
}

#[tokio::test]
async fn webhooks_arrive_in_order_as_they_were_recorded() {
    let endpoint = Endpoint::start(&[]).await;
    let stand_in = delivering(&endpoint).await;
    paid(&stand_in, Outcome::Captured).await;
    stand_in.all_delivered().await;
    assert_eq!(endpoint.events(), ALL);
    for (got, recorded) in endpoint.got().iter().zip(stand_in.webhooks()) {
        assert_eq!((&got.event_id, &got.body), (&recorded.event_id, &recorded.body));
        assert_eq!(got.signature, stand_in.sign_webhook(got.body.as_bytes()));
        assert_eq!((recorded.deliveries.len(), recorded.deliveries[0].status), (1, Some(200)));
    }
}

#[tokio::test]
async fn webhooks_of_captures_and_refunds_through_the_api_are_delivered() {
    let endpoint = Endpoint::start(&[]).await;
    let stand_in = delivering(&endpoint).await;
    let id = paid(&stand_in, Outcome::Authorized).await.payment_id;
    stand_in.all_delivered().await;
    post(&stand_in, &format!("/v1/payments/{id}/capture"), json!({"amount": 50_000, "currency": "INR"})).await.good();
    stand_in.all_delivered().await;
    post(&stand_in, &format!("/v1/payments/{id}/refund"), json!({})).await.good();
    stand_in.all_delivered().await;
    assert_eq!(endpoint.events()[..3], ALL);
    assert_eq!(endpoint.events()[3..], ["refund.created", "refund.processed"]);
}

#[tokio::test]
async fn a_failed_delivery_is_retried_with_the_same_id_and_bytes() {
    let endpoint = Endpoint::start(&[500, 302]).await;
    let stand_in = delivering(&endpoint).await;
    paid(&stand_in, Outcome::Failed).await;
    stand_in.all_delivered().await;
    let got = endpoint.got();
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|again| *again == got[0]));
    let statuses: Vec<_> = stand_in.webhooks()[0].deliveries.iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(200)]);
}

#[tokio::test]
async fn a_webhook_is_given_up_after_its_last_retry() {
    let endpoint = Endpoint::start(&[500; 9]).await;
    let stand_in = delivering(&endpoint).await;
    paid(&stand_in, Outcome::Failed).await;
    stand_in.all_delivered().await;
    assert_eq!((endpoint.got().len(), stand_in.webhooks()[0].next_try), (4, None));
}

#[tokio::test]
async fn a_delivery_that_times_out_is_retried() {
    let endpoint = Endpoint::start(&[0]).await;
    let stand_in = delivering(&endpoint).await;
    stand_in.change(|settings| settings.webhook_timeout = Duration::from_millis(50));
    paid(&stand_in, Outcome::Failed).await;
    stand_in.all_delivered().await;
    assert_eq!(endpoint.got().len(), 2);
    assert_eq!(stand_in.webhooks()[0].deliveries[0].error.as_deref(), Some("no answer in time"));
}

#[tokio::test]
async fn advancing_the_clock_triggers_the_next_retry() {
    let endpoint = Endpoint::start(&[500]).await;
    let stand_in = delivering(&endpoint).await;
    stand_in.change(|settings| settings.webhook_retries = vec![Duration::from_hours(1)]);
    paid(&stand_in, Outcome::Failed).await;
    let is_tried = async {
        while stand_in.webhooks()[0].deliveries.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), is_tried).await.unwrap();
    hook(&stand_in, "POST", "/_clock", json!({"advance_seconds": 3600})).await.good();
    stand_in.all_delivered().await;
    assert_eq!(endpoint.got().len(), 2);
}

#[tokio::test]
async fn webhooks_can_be_duplicated_and_reversed() {
    let endpoint = Endpoint::start(&[]).await;
    let stand_in = delivering(&endpoint).await;
    let settings = json!({"webhook_copies": 2, "webhooks_reversed": true});
    hook(&stand_in, "POST", "/_settings", settings).await.good();
    paid(&stand_in, Outcome::Captured).await;
    stand_in.all_delivered().await;
    let twice_in_reverse: Vec<_> = ALL.iter().rev().flat_map(|event| [*event; 2]).collect();
    assert_eq!(endpoint.events(), twice_in_reverse);
    let got = endpoint.got();
    assert_eq!(got[0], got[1]);
}

#[tokio::test]
async fn recorded_webhooks_can_be_delivered_later_and_again() {
    let stand_in = StandIn::start().await;
    paid(&stand_in, Outcome::Captured).await;
    stand_in.all_delivered().await;
    assert_eq!(hook(&stand_in, "POST", "/_webhooks/deliver", json!({"all": true})).await.status, 400);

    let endpoint = Endpoint::start(&[]).await;
    stand_in.deliver_to(&endpoint.url);
    stand_in.all_delivered().await;
    assert!(endpoint.got().is_empty());
    let recorded = hook(&stand_in, "GET", "/_webhooks", json!({})).await.good().body;
    let event_id = &recorded[1]["event_id"];
    hook(&stand_in, "POST", "/_webhooks/deliver", json!({"event_id": event_id})).await.good();
    stand_in.all_delivered().await;
    assert_eq!(endpoint.events(), ["payment.captured"]);
    let all = hook(&stand_in, "POST", "/_webhooks/deliver", json!({"all": true})).await.good().body;
    stand_in.all_delivered().await;
    assert_eq!((all, endpoint.events().len()), (json!({"count": 3}), 4));
    let recorded = hook(&stand_in, "GET", "/_webhooks", json!({})).await.good().body;
    assert_eq!(recorded[1]["deliveries"].as_array().unwrap().len(), 2);
    let nothing = json!({"event_id": "none"});
    assert_eq!(hook(&stand_in, "POST", "/_webhooks/deliver", nothing).await.status, 400);
    assert_eq!(hook(&stand_in, "POST", "/_webhooks/deliver", json!({})).await.status, 400);
}

#[tokio::test]
async fn an_older_event_keeps_its_signature_when_the_secret_changes() {
    let stand_in = StandIn::start().await;
    let id = order(&stand_in, 500).await;
    stand_in.checkout(&id, Outcome::Failed);
    stand_in.change(|settings| "next-secret".clone_into(&mut settings.webhook_secret));
    stand_in.checkout(&id, Outcome::Failed);
    let signatures = |secrets: [&str; 2]| {
        for (webhook, secret) in stand_in.webhooks().iter().zip(secrets) {
            assert_eq!(webhook.header("X-Razorpay-Signature"), Some(sign(secret, webhook.body.as_bytes()).as_str()));
        }
    };
    signatures([razorpay_stand_in::WEBHOOK_SECRET, "next-secret"]);
    // A replay is signed with the current secret.
    stand_in.deliver_again(None);
    signatures(["next-secret"; 2]);
}

#[tokio::test]
async fn any_event_can_be_announced() {
    let stand_in = StandIn::start().await;
    let payload = json!({"dispute": {"entity": {"id": "disp_00000000000000"}}});
    let announcement = json!({"event": "payment.dispute.created", "payload": payload});
    hook(&stand_in, "POST", "/_webhooks", announcement).await.good();
    let told = stand_in.webhooks()[0].json();
    assert_eq!((&told["contains"], &told["payload"]), (&json!(["dispute"]), &payload));
    stand_in.announce("something.new", &serde_json::Map::new());
    assert_eq!(stand_in.webhooks()[1].json()["payload"], Value::Object(serde_json::Map::new()));
}

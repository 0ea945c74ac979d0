//! Hooks, settings and the state file.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt, time::Duration};

use razorpay_stand_in::{Outcome, Settings, StandIn};
use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    client::{call, hook, order, paid, post, refundable},
    endpoint::Endpoint,
};

#[tokio::test]
async fn settings_change_over_http() {
    let stand_in = StandIn::start().await;
    let settings = json!({"refund_delay_ms": 1500, "receipts": "unique", "webhook_retries_ms": [1, 2]});
    let settings = hook(&stand_in, "POST", "/_settings", settings).await.good().body;
    assert_eq!((&settings["refund_delay_ms"], &settings["webhook_timeout_ms"]), (&json!(1500), &json!(5000)));
    assert_eq!(hook(&stand_in, "GET", "/_settings", json!({})).await.good().body, settings);
    assert_eq!(hook(&stand_in, "POST", "/_settings", json!({"recipts": "unique"})).await.status, 400);
    assert_eq!(hook(&stand_in, "GET", "/_nothing", json!({})).await.status, 404);
}

#[tokio::test]
async fn a_hook_ends_a_pending_refund() {
    let stand_in = StandIn::start().await;
    stand_in.change(|settings| settings.refund_delay = Duration::from_hours(1));
    let (path, _) = refundable(&stand_in).await;
    let id = post(&stand_in, &path, json!({})).await.good().text_of("id");
    let failed = hook(&stand_in, "POST", &format!("/_refunds/{id}"), json!({"status": "failed"})).await.good();
    assert_eq!(failed.body["status"], "failed");
}

#[tokio::test]
async fn a_hook_reads_json_with_the_content_type_of_a_form() {
    let stand_in = StandIn::start().await;
    let id = order(&stand_in, 500).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = json!({"order_id": id, "outcome": "captured"}).to_string();
    call(&stand_in, "POST", "/_checkout", &form, &body).await.good();
}

#[tokio::test]
async fn a_restarted_stand_in_resumes_from_its_state_file() {
    let file = std::env::temp_dir().join(format!("razorpay-stand-in-{}.json", std::process::id()));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    // Nothing listens there.
    let nowhere = Some("http://127.0.0.1:9/".to_owned());
    let settings = Settings { webhook_url: nowhere, refund_delay: Duration::from_hours(1), ..Settings::default() };
    let stand_in = StandIn::start_keeping(address, settings, file.clone()).await.unwrap();
    let (path, _) = refundable(&stand_in).await;
    post(&stand_in, &path, json!({"amount": 200})).await.good();
    let kept = (stand_in.orders(), stand_in.payments(), stand_in.refunds());
    drop(stand_in);

    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let endpoint = Endpoint::start(&[]).await;
    let settings = Settings { webhook_url: Some(endpoint.url.clone()), ..Settings::default() };
    let stand_in = StandIn::start_keeping(address, settings, file.clone()).await.unwrap();
    assert_eq!((stand_in.orders(), stand_in.payments(), stand_in.refunds()), kept);
    stand_in.advance(Duration::from_hours(1));
    assert_eq!(stand_in.refunds()[0]["status"], "processed");
    stand_in.all_delivered().await;
    let mut events = endpoint.events();
    events.sort();
    assert_eq!(events, ["order.paid", "payment.authorized", "payment.captured", "refund.created", "refund.processed"]);
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_dropped_stand_in_closes_its_port() {
    let stand_in = StandIn::start().await;
    paid(&stand_in, Outcome::Captured).await;
    let address = stand_in.url().replace("http://", "");
    drop(stand_in);
    let is_closed = async {
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), is_closed).await.unwrap();
}

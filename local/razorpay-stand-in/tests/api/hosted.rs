//! The hosted checkout, as a browser goes through it.

use razorpay_stand_in::{KEY_ID, KEY_SECRET, StandIn, sign};

use crate::client::{order, raw};

/// Sends a form of a browser; returns the raw answer.
async fn send(stand_in: &StandIn, path: &str, fields: &[(&str, &str)]) -> String {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    raw(stand_in, "POST", path, &[("content-type", "application/x-www-form-urlencoded")], &body).await
}

#[tokio::test]
async fn a_browser_pays_without_an_api_key_and_is_led_back_with_a_signature() {
    let stand_in = StandIn::start().await;
    let id = order(&stand_in, 39_000).await;
    let fields = [
        ("key_id", KEY_ID),
        ("order_id", id.as_str()),
        ("callback_url", "https://shop.example/paid/"),
        ("name", "<b>Shop</b>"),
    ];
    let page = send(&stand_in, "/v1/checkout/embedded", &fields).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("₹390.00") && page.contains("&lt;b&gt;Shop"), "{page}");
    let stranger = send(&stand_in, "/v1/checkout/embedded", &fields[1..]).await;
    assert!(stranger.contains("Authentication failed"), "{stranger}");

    let pay = async |outcome| {
        send(&stand_in, "/v1/checkout/embedded/pay", &[fields[1], fields[2], ("outcome", outcome)]).await
    };
    let declined = pay("failed").await;
    assert!(declined.contains("error[code]") && !declined.contains("signature"), "{declined}");
    let paid = pay("captured").await;
    assert!(paid.contains("action=\"https://shop.example/paid/\""), "{paid}");
    let value = |name: &str| {
        paid.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let message = format!("{id}|{}", value("razorpay_payment_id"));
    assert_eq!(value("razorpay_signature"), sign(KEY_SECRET, message.as_bytes()));
    assert_eq!(stand_in.order(&id).unwrap()["status"], "paid");
}

#[tokio::test]
async fn the_script_of_the_checkout_opens_a_frame_that_tells_its_result_to_the_page() {
    let stand_in = StandIn::start().await;
    let script = raw(&stand_in, "GET", "/v1/checkout.js", &[], "").await;
    assert!(script.contains("content-type: text/javascript") && script.contains("class Razorpay"), "{script}");

    let id = order(&stand_in, 39_000).await;
    let fields = [("key_id", KEY_ID), ("order_id", id.as_str()), ("frame", "1")];
    let page = send(&stand_in, "/v1/checkout/embedded", &fields).await;
    assert!(page.contains("name=\"frame\" value=\"1\"") && !page.contains("Cancel"), "{page}");
    let pay = async |outcome| {
        send(&stand_in, "/v1/checkout/embedded/pay", &[fields[1], fields[2], ("outcome", outcome)]).await
    };
    let declined = pay("failed").await;
    assert!(declined.contains("parent.postMessage({\"error\":{") && !declined.contains("signature\":\""), "{declined}");
    let paid = pay("captured").await;
    assert!(paid.contains("\"razorpay_signature\":\"") && paid.contains("postMessage"), "{paid}");
}

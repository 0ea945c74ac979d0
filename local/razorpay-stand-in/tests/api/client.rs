//! A minimal HTTP client, so that tests see the bytes on the wire.

use razorpay_stand_in::{Attempt, Checkout, KEY_ID, KEY_SECRET, Outcome, StandIn};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The header `authorization` of the API key.
pub(crate) fn basic() -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("{KEY_ID}:{KEY_SECRET}")))
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// Status and description of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        assert_eq!(self.body["error"]["code"], "BAD_REQUEST_ERROR", "{}", self.text);
        (self.status, self.body["error"]["description"].as_str().unwrap_or_default())
    }

    pub(crate) fn text_of(&self, name: &str) -> String {
        self.body[name].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text);
        self
    }
}

/// Sends any call; returns the raw answer, read until the connection closes.
pub(crate) async fn raw(stand_in: &StandIn, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let address = stand_in.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A reset ends the answer too.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

/// Sends any call; returns the parsed answer.
pub(crate) async fn call(stand_in: &StandIn, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let answer = raw(stand_in, method, path, headers, body).await;
    let (headers, text) = answer.split_once("\r\n\r\n").unwrap();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_str(text).unwrap_or_default();
    Answer { status, headers: headers.to_lowercase(), text: text.to_owned(), body }
}

/// Calls the API with a JSON body.
pub(crate) async fn api(stand_in: &StandIn, method: &str, path: &str, body: Value) -> Answer {
    let headers = [("authorization", basic()), ("content-type", "application/json".to_owned())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    call(stand_in, method, path, &headers, &body.to_string()).await
}

pub(crate) async fn post(stand_in: &StandIn, path: &str, body: Value) -> Answer {
    api(stand_in, "POST", path, body).await
}

pub(crate) async fn get(stand_in: &StandIn, path: &str) -> Answer {
    let authorization = basic();
    call(stand_in, "GET", path, &[("authorization", &authorization)], "").await
}

/// Calls a hook, which needs no key.
pub(crate) async fn hook(stand_in: &StandIn, method: &str, path: &str, body: Value) -> Answer {
    call(stand_in, method, path, &[("content-type", "application/json")], &body.to_string()).await
}

/// Creates an order; returns its id.
pub(crate) async fn order(stand_in: &StandIn, amount: i64) -> String {
    post(stand_in, "/v1/orders", json!({"amount": amount, "currency": "INR"})).await.good().text_of("id")
}

/// Pays a new order of 500 rupees.
pub(crate) async fn paid(stand_in: &StandIn, outcome: Outcome) -> Checkout {
    stand_in.checkout(&order(stand_in, 50_000).await, outcome)
}

/// Captures a payment of 500 rupees; returns the path of its refunds and its id.
pub(crate) async fn refundable(stand_in: &StandIn) -> (String, String) {
    let id = paid(stand_in, Outcome::Captured).await.payment_id;
    (format!("/v1/payments/{id}/refund"), id)
}

pub(crate) fn attempt(order_id: &str, outcome: Outcome) -> Attempt {
    Attempt { order_id: order_id.to_owned(), outcome: Some(outcome), ..Attempt::default() }
}

/// The event names of the webhooks so far.
pub(crate) fn events(stand_in: &StandIn) -> Vec<String> {
    stand_in.webhooks().into_iter().map(|webhook| webhook.event).collect()
}

//! Hooks and faults, the state file, and stopping the stand-in.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt, time::Duration};

use descope_stand_in::{Fault, PROJECT_ID, Settings, StandIn};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::{call, post, post_as, sign_in};

const PHONE: &str = "+919876543210";
const SEND: &str = "/v1/auth/otp/signup-in/sms";

async fn hook(stand_in: &StandIn, method: &str, path: &str, body: Value) -> crate::client::Answer {
    call(stand_in, method, path, "", &body.to_string()).await
}

#[tokio::test]
async fn the_inbox_finds_a_number_with_and_without_encoding() {
    let stand_in = StandIn::start().await;
    post(&stand_in, SEND, json!({"loginId": PHONE})).await.good();
    for to in [PHONE.to_owned(), PHONE.replace('+', "%2B")] {
        let inbox = hook(&stand_in, "GET", &format!("/_inbox?to={to}"), json!({})).await.good().body;
        assert_eq!(inbox.as_array().unwrap().len(), 1);
        assert_eq!((&inbox[0]["kind"], &inbox[0]["token"]), (&json!("otp"), &json!(null)));
    }
    let other = hook(&stand_in, "GET", "/_inbox?to=91987654321", json!({})).await.good();
    assert_eq!(other.body, json!([]));
}

#[tokio::test]
async fn a_fault_affects_the_given_number_of_calls() {
    let stand_in = StandIn::start().await;
    stand_in.spoil(SEND, Fault::rate_limited(7));
    stand_in.spoil(SEND, Fault::status(503).times(2));
    let limited = post(&stand_in, SEND, json!({"loginId": PHONE})).await;
    assert_eq!(limited.code(), (429, "E130429"));
    assert!(limited.headers.contains("retry-after: 7"));
    for _ in 0..2 {
        assert_eq!(post(&stand_in, SEND, json!({"loginId": PHONE})).await.status, 503);
    }
    post(&stand_in, SEND, json!({"loginId": PHONE})).await.good();
    assert_eq!((stand_in.calls(SEND), stand_in.inbox(PHONE).len()), (4, 1));
    assert_eq!(stand_in.all_calls(), vec![format!("POST {SEND}"); 4]);
}

#[tokio::test]
async fn faults_can_be_set_over_http() {
    let stand_in = StandIn::start().await;
    let fault = json!({"path": SEND, "body": "<html>busy</html>", "status": 429, "headers": {"Retry-After": 3}});
    hook(&stand_in, "POST", "/_faults", fault).await.good();
    let spoiled = post(&stand_in, SEND, json!({"loginId": PHONE})).await;
    assert_eq!((spoiled.status, spoiled.text.as_str()), (429, "<html>busy</html>"));
    assert!(spoiled.headers.contains("retry-after: 3") && spoiled.headers.contains("text/html"));

    hook(&stand_in, "POST", "/_faults", json!({"path": SEND, "delay_ms": 1})).await.good();
    post(&stand_in, SEND, json!({"loginId": PHONE})).await.good();
    hook(&stand_in, "POST", "/_faults", json!({"path": SEND, "body": {"odd": true}})).await.good();
    let odd = post(&stand_in, SEND, json!({"loginId": PHONE})).await;
    assert_eq!((odd.status, odd.body), (200, json!({"odd": true})));
    hook(&stand_in, "POST", "/_faults", json!({"path": SEND, "status": 500, "times": 9})).await.good();
    hook(&stand_in, "DELETE", "/_faults", json!({})).await.good();
    post(&stand_in, SEND, json!({"loginId": PHONE})).await.good();
    assert_eq!(hook(&stand_in, "POST", "/_faults", json!({"pth": SEND})).await.status, 400);
}

#[tokio::test]
async fn keys_clock_and_settings_change_over_http() {
    let stand_in = StandIn::start().await;
    let before = stand_in.kid();
    let rotated = hook(&stand_in, "POST", "/_keys/rotate", json!({"keep_old": false})).await.good();
    assert_ne!(stand_in.kid(), before);
    assert_eq!(rotated.body["kid"], stand_in.kid());

    let settings = json!({"code_lifetime": 5, "issuer": "url"});
    let settings = hook(&stand_in, "POST", "/_settings", settings).await.good().body;
    assert_eq!((&settings["code_lifetime"], &settings["session_lifetime"]), (&json!(5), &json!(600)));
    post(&stand_in, SEND, json!({"loginId": PHONE})).await.good();
    hook(&stand_in, "POST", "/_clock", json!({"advance_seconds": 5})).await.good();
    let code = crate::client::last_code(&stand_in, PHONE);
    let late = post(&stand_in, "/v1/auth/otp/verify/sms", json!({"loginId": PHONE, "code": code})).await;
    assert_eq!(late.code(), (401, "E061104"));
    assert_eq!(hook(&stand_in, "POST", "/_settings", json!({"isuer": "url"})).await.status, 400);
}

#[tokio::test]
async fn a_restarted_stand_in_restores_its_state_from_the_file() {
    let file = std::env::temp_dir().join(format!("descope-stand-in-{}.json", std::process::id()));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let stand_in = StandIn::start_keeping(address, Settings::default(), file.clone()).await.unwrap();
    let (kid, token) = (stand_in.kid(), sign_in(&stand_in, PHONE).await.text_of("refreshJwt"));
    let gone = sign_in(&stand_in, PHONE).await.text_of("refreshJwt");
    post_as(&stand_in, &gone, "/v1/auth/logout", json!({})).await.good();
    let user = stand_in.user(PHONE);
    drop(stand_in);

    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let stand_in = StandIn::start_keeping(address, Settings::default(), file.clone()).await.unwrap();
    assert_eq!((stand_in.kid(), stand_in.user(PHONE)), (kid, user));
    post_as(&stand_in, &token, "/v1/auth/refresh", json!({})).await.good();
    assert_eq!(post_as(&stand_in, &gone, "/v1/auth/refresh", json!({})).await.code(), (401, "E064001"));
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn dropping_a_stand_in_closes_its_port() {
    let stand_in = StandIn::start().await;
    let address = stand_in.url().replace("http://", "");
    call(&stand_in, "GET", &format!("/v2/keys/{PROJECT_ID}"), "", "").await.good();
    drop(stand_in);
    let is_closed = async {
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), is_closed).await.unwrap();
}

#[tokio::test]
async fn dropping_a_stand_in_ends_keep_alive_connections() {
    let stand_in = StandIn::start().await;
    let mut stream = TcpStream::connect(stand_in.url().replace("http://", "")).await.unwrap();
    let request = format!("GET /v2/keys/{PROJECT_ID} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 4096];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    drop(stand_in);
    let _ = stream.write_all(request.as_bytes()).await;
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "still answered");
}

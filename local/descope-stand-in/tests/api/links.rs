//! Magic links.

use std::time::Duration;

use descope_stand_in::{MessageKind, StandIn};
use serde_json::json;

use crate::client::{last_token, manage, post};

const EMAIL: &str = "asha@example.com";

async fn send(stand_in: &StandIn) -> String {
    let body = json!({"loginId": EMAIL, "URI": "http://localhost:3000/in"});
    post(stand_in, "/v1/auth/magiclink/signup-in/email", body).await.good();
    last_token(stand_in, EMAIL)
}

#[tokio::test]
async fn a_link_signs_in_once_and_verifies_its_address() {
    let stand_in = StandIn::start().await;
    let token = send(&stand_in).await;
    let message = &stand_in.inbox(EMAIL)[0];
    assert_eq!(message.kind, MessageKind::MagicLink);
    assert_eq!(message.link.clone().unwrap(), format!("http://localhost:3000/in?t={token}"));
    let session = post(&stand_in, "/v1/auth/magiclink/verify", json!({"token": token})).await.good();
    let user = &session.body["user"];
    assert_eq!((&user["verifiedEmail"], &user["status"]), (&json!(true), &json!("enabled")));
    let again = post(&stand_in, "/v1/auth/magiclink/verify", json!({"token": token})).await;
    assert_eq!(again.code(), (401, "E062504"));
}

#[tokio::test]
async fn several_links_are_valid_at_the_same_time() {
    let stand_in = StandIn::start().await;
    let (first, second) = (send(&stand_in).await, send(&stand_in).await);
    for token in [second, first] {
        post(&stand_in, "/v1/auth/magiclink/verify", json!({"token": token})).await.good();
    }
}

#[tokio::test]
async fn a_link_expires() {
    let stand_in = StandIn::start().await;
    let token = send(&stand_in).await;
    stand_in.advance(Duration::from_mins(10));
    let late = post(&stand_in, "/v1/auth/magiclink/verify", json!({"token": token})).await;
    assert_eq!(late.code(), (401, "E062504"));
}

#[tokio::test]
async fn a_link_verifies_only_the_address_it_was_sent_to() {
    let stand_in = StandIn::start().await;
    let token = send(&stand_in).await;
    let change = json!({"loginId": EMAIL, "email": "other@example.com", "verified": false});
    manage(&stand_in, "/v1/mgmt/user/update/email", change).await.good();
    let session = post(&stand_in, "/v1/auth/magiclink/verify", json!({"token": token})).await.good();
    assert_eq!(session.body["user"]["verifiedEmail"], false);
}

#[tokio::test]
async fn an_embedded_link_is_returned_and_not_sent() {
    let stand_in = StandIn::start().await;
    manage(&stand_in, "/v1/mgmt/user/create", json!({"loginId": EMAIL})).await.good();
    let token =
        manage(&stand_in, "/v1/mgmt/user/signin/embeddedlink", json!({"loginId": EMAIL})).await.text_of("token");
    post(&stand_in, "/v1/auth/magiclink/verify", json!({"token": token})).await.good();
    assert!(stand_in.inbox(EMAIL).is_empty());
}

//! Passwords.

use descope_stand_in::StandIn;
use serde_json::{Value, json};

use crate::client::{Answer, last_token, manage, post, post_as, sign_in};

const EMAIL: &str = "asha@example.com";

async fn sign_up(stand_in: &StandIn) -> Answer {
    let body = json!({"loginId": EMAIL, "password": "long enough", "user": {"email": EMAIL, "name": "Asha"}});
    post(stand_in, "/v1/auth/password/signup", body).await
}

async fn sign_in_with(stand_in: &StandIn, password: &str) -> Answer {
    post(stand_in, "/v1/auth/password/signin", json!({"loginId": EMAIL, "password": password})).await
}

fn reset() -> Value {
    json!({"loginId": EMAIL, "redirectUrl": "http://localhost:3000/new?from=mail"})
}

#[tokio::test]
async fn signing_up_makes_an_enabled_user_whose_address_is_not_verified() {
    let stand_in = StandIn::start().await;
    let answer = sign_up(&stand_in).await.good();
    assert_eq!(answer.body["firstSeen"], true);
    let user = &answer.body["user"];
    assert_eq!(
        (&user["status"], &user["email"], &user["verifiedEmail"], &user["password"], &user["name"]),
        (&json!("enabled"), &json!(EMAIL), &json!(false), &json!(true), &json!("Asha"))
    );
    assert_eq!(sign_in_with(&stand_in, "long enough").await.good().body["firstSeen"], false);
}

#[tokio::test]
async fn signing_up_with_a_taken_login_id_is_refused() {
    let stand_in = StandIn::start().await;
    manage(&stand_in, "/v1/mgmt/user/create", json!({"loginId": EMAIL})).await.good();
    assert_eq!(sign_up(&stand_in).await.code(), (400, "E062107"));
}

#[tokio::test]
async fn a_password_has_8_to_64_characters() {
    let stand_in = StandIn::start().await;
    for password in ["", "1234567", &"x".repeat(65)] {
        let refused =
            post(&stand_in, "/v1/auth/password/signup", json!({"loginId": EMAIL, "password": password})).await;
        assert_eq!(refused.code(), (400, "E011003"), "{password}");
    }
    assert!(stand_in.user(EMAIL).is_none());
}

#[tokio::test]
async fn signing_in_needs_the_right_password_of_a_known_user() {
    let stand_in = StandIn::start().await;
    assert_eq!(sign_in_with(&stand_in, "long enough").await.code(), (400, "E062108"));
    stand_in.change(|settings| settings.mask_errors = true);
    assert_eq!(sign_in_with(&stand_in, "long enough").await.code(), (401, "E062903"));
    sign_up(&stand_in).await.good();
    assert_eq!(sign_in_with(&stand_in, "long enough?").await.code(), (401, "E062903"));
    manage(&stand_in, "/v1/mgmt/user/update/status", json!({"loginId": EMAIL, "status": "disabled"})).await.good();
    assert_eq!(sign_in_with(&stand_in, "long enough").await.status, 401);
}

#[tokio::test]
async fn an_expired_or_temporary_password_can_only_be_replaced() {
    let stand_in = StandIn::start().await;
    sign_up(&stand_in).await.good();
    manage(&stand_in, "/v1/mgmt/user/password/expire", json!({"loginId": EMAIL})).await.good();
    assert_eq!(sign_in_with(&stand_in, "long enough").await.code(), (401, "E062909"));
    let temporary = json!({"loginId": EMAIL, "password": "temporary"});
    manage(&stand_in, "/v1/mgmt/user/password/set/temporary", temporary).await.good();
    assert_eq!(sign_in_with(&stand_in, "temporary").await.code(), (401, "E062909"));

    let replace = |old: &str| json!({"loginId": EMAIL, "oldPassword": old, "newPassword": "new password"});
    let wrong = post(&stand_in, "/v1/auth/password/replace", replace("long enough")).await;
    assert_eq!(wrong.code(), (401, "E062903"));
    post(&stand_in, "/v1/auth/password/replace", replace("temporary")).await.good();
    sign_in_with(&stand_in, "new password").await.good();
}

#[tokio::test]
async fn only_a_verified_address_gets_a_reset_mail() {
    let stand_in = StandIn::start().await;
    assert_eq!(post(&stand_in, "/v1/auth/password/reset", reset()).await.code(), (400, "E062108"));
    sign_up(&stand_in).await.good();
    assert_eq!(post(&stand_in, "/v1/auth/password/reset", reset()).await.code(), (400, "E062115"));
    assert!(stand_in.inbox(EMAIL).is_empty());
}

#[tokio::test]
async fn a_reset_link_leads_to_a_new_password() {
    let stand_in = StandIn::start().await;
    manage(&stand_in, "/v1/mgmt/user/create", json!({"loginId": EMAIL})).await.good();
    let sent = post(&stand_in, "/v1/auth/password/reset", reset()).await.good();
    let expected =
        json!({"resetMethod": "magiclink", "pendingRef": "", "linkId": "", "maskedEmail": "as***@***le.com"});
    assert_eq!(sent.body, expected);
    let token = last_token(&stand_in, EMAIL);
    let link = stand_in.inbox(EMAIL)[0].link.clone().unwrap();
    assert_eq!(link, format!("http://localhost:3000/new?from=mail&t={token}"));

    let session = post(&stand_in, "/v1/auth/magiclink/verify", json!({"token": token})).await.good();
    let update = json!({"loginId": EMAIL, "newPassword": "long enough"});
    let updated = post_as(&stand_in, &session.text_of("refreshJwt"), "/v1/auth/password/update", update.clone()).await;
    assert_eq!(updated.good().body, json!({}));
    sign_in_with(&stand_in, "long enough").await.good();

    let session_token = session.text_of("sessionJwt");
    let refused = post_as(&stand_in, &session_token, "/v1/auth/password/update", update.clone()).await;
    assert_eq!(refused.code(), (401, "E061005"));
    let other = sign_in(&stand_in, "+919876543210").await.text_of("refreshJwt");
    let foreign = post_as(&stand_in, &other, "/v1/auth/password/update", update).await;
    assert_eq!(foreign.code(), (400, "E011004"));
}

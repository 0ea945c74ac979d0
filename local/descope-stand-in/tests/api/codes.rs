//! One-time codes.

use std::time::Duration;

use descope_stand_in::StandIn;
use serde_json::json;

use crate::client::{last_code, manage, other_than, post, post_as, sign_in};

const PHONE: &str = "+919876543210";

#[tokio::test]
async fn the_first_sign_in_enables_an_invited_user_and_verifies_the_phone() {
    let stand_in = StandIn::start().await;
    let sent = post(&stand_in, "/v1/auth/otp/signup-in/sms", json!({"loginId": PHONE})).await.good();
    assert_eq!(sent.body, json!({"maskedPhone": "*****3210", "verificationAttempts": 3}));
    let user = stand_in.user(PHONE).unwrap();
    assert_eq!(user["status"], "invited");
    assert_eq!(user["verifiedPhone"], false);
    assert!(user["userId"].as_str().unwrap().starts_with("U2"));

    let code = last_code(&stand_in, PHONE);
    assert_eq!(code.len(), 6);
    let first = post(&stand_in, "/v1/auth/otp/verify/sms", json!({"loginId": PHONE, "code": code})).await.good();
    assert_eq!(first.body["firstSeen"], true);
    assert_eq!(first.body["user"]["status"], "enabled");
    assert_eq!(first.body["user"]["verifiedPhone"], true);
    assert_eq!(first.body["user"]["phone"], PHONE);
    assert_eq!(sign_in(&stand_in, PHONE).await.body["firstSeen"], false);
}

#[tokio::test]
async fn a_code_can_be_used_once() {
    let stand_in = StandIn::start().await;
    sign_in(&stand_in, PHONE).await;
    let code = last_code(&stand_in, PHONE);
    let again = post(&stand_in, "/v1/auth/otp/verify/sms", json!({"loginId": PHONE, "code": code})).await;
    assert_eq!(again.code(), (401, "E061102"));
}

#[tokio::test]
async fn a_new_code_invalidates_the_previous_one() {
    let stand_in = StandIn::start().await;
    let send = json!({"loginId": PHONE});
    post(&stand_in, "/v1/auth/otp/signup-in/sms", send.clone()).await.good();
    let old = last_code(&stand_in, PHONE);
    while last_code(&stand_in, PHONE) == old {
        post(&stand_in, "/v1/auth/otp/signup-in/sms", send.clone()).await.good();
    }
    let verified = post(&stand_in, "/v1/auth/otp/verify/sms", json!({"loginId": PHONE, "code": old})).await;
    assert_eq!(verified.code(), (401, "E061102"));
}

#[tokio::test]
async fn a_code_expires() {
    let stand_in = StandIn::start().await;
    post(&stand_in, "/v1/auth/otp/signup-in/sms", json!({"loginId": PHONE})).await.good();
    stand_in.advance(Duration::from_mins(3));
    let verify = json!({"loginId": PHONE, "code": last_code(&stand_in, PHONE)});
    assert_eq!(post(&stand_in, "/v1/auth/otp/verify/sms", verify).await.code(), (401, "E061104"));
}

#[tokio::test]
async fn a_code_is_refused_after_three_wrong_attempts() {
    let stand_in = StandIn::start().await;
    post(&stand_in, "/v1/auth/otp/signup-in/sms", json!({"loginId": PHONE})).await.good();
    let code = last_code(&stand_in, PHONE);
    for _ in 0..3 {
        let wrong = json!({"loginId": PHONE, "code": other_than(&code)});
        assert_eq!(post(&stand_in, "/v1/auth/otp/verify/sms", wrong).await.code(), (401, "E061102"));
    }
    let right = json!({"loginId": PHONE, "code": code});
    assert_eq!(post(&stand_in, "/v1/auth/otp/verify/sms", right).await.code(), (401, "E061103"));
}

#[tokio::test]
async fn a_code_belongs_to_its_method_and_login_id() {
    let stand_in = StandIn::start().await;
    post(&stand_in, "/v1/auth/otp/signup-in/sms", json!({"loginId": PHONE})).await.good();
    let code = last_code(&stand_in, PHONE);
    for (method, login_id) in [("whatsapp", PHONE), ("email", PHONE), ("sms", "+919876543211")] {
        let verify = json!({"loginId": login_id, "code": code});
        let refused = post(&stand_in, &format!("/v1/auth/otp/verify/{method}"), verify).await;
        assert_eq!(refused.code(), (401, "E061102"), "{method} {login_id}");
    }
}

#[tokio::test]
async fn signing_up_needs_a_new_user_and_signing_in_an_existing_one() {
    let stand_in = StandIn::start().await;
    let unknown = post(&stand_in, "/v1/auth/otp/signin/sms", json!({"loginId": PHONE})).await;
    assert_eq!(unknown.code(), (400, "E062108"));
    manage(&stand_in, "/v1/mgmt/user/create", json!({"loginId": PHONE})).await.good();
    post(&stand_in, "/v1/auth/otp/signup/sms", json!({"loginId": PHONE})).await.good();
    sign_in(&stand_in, PHONE).await;
    let known = post(&stand_in, "/v1/auth/otp/signup/sms", json!({"loginId": PHONE})).await;
    assert_eq!(known.code(), (400, "E062107"));
    let nowhere = post(&stand_in, "/v1/auth/otp/signup-in/sms", json!({"loginId": "nobody"})).await;
    assert_eq!(nowhere.code(), (400, "E011003"));
}

#[tokio::test]
async fn a_disabled_user_gets_no_code() {
    let stand_in = StandIn::start().await;
    sign_in(&stand_in, PHONE).await;
    manage(&stand_in, "/v1/mgmt/user/update/status", json!({"loginId": PHONE, "status": "disabled"})).await.good();
    assert_eq!(post(&stand_in, "/v1/auth/otp/signup-in/sms", json!({"loginId": PHONE})).await.status, 401);
}

#[tokio::test]
async fn a_new_address_is_stored_once_its_code_is_verified() {
    let stand_in = StandIn::start().await;
    let refresh = sign_in(&stand_in, PHONE).await.text_of("refreshJwt");
    let change = json!({"loginId": PHONE, "email": "asha@example.com", "addToLoginIDs": true});
    post_as(&stand_in, &refresh, "/v1/auth/otp/update/email", change).await.good();
    assert_eq!(stand_in.user(PHONE).unwrap()["email"], "");
    let verify = json!({"loginId": PHONE, "code": last_code(&stand_in, "asha@example.com")});
    post(&stand_in, "/v1/auth/otp/verify/email", verify).await.good();
    let user = stand_in.user("asha@example.com").unwrap();
    assert_eq!((&user["email"], &user["verifiedEmail"]), (&json!("asha@example.com"), &json!(true)));

    let foreign = json!({"loginId": "+919876543211", "phone": "+919876543212"});
    let refused = post_as(&stand_in, &refresh, "/v1/auth/otp/update/phone/sms", foreign).await;
    assert_eq!(refused.code(), (400, "E011004"));
}

#[tokio::test]
async fn a_test_user_gets_its_code_from_the_management_api_and_no_message() {
    let stand_in = StandIn::start().await;
    let user = json!({"loginId": "test", "phone": PHONE, "verifiedPhone": true});
    manage(&stand_in, "/v1/mgmt/user/create/test", user).await.good();
    let generate = json!({"loginId": "test", "deliveryMethod": "sms"});
    let code = manage(&stand_in, "/v1/mgmt/tests/generate/otp", generate).await.good().text_of("code");
    post(&stand_in, "/v1/auth/otp/signin/sms", json!({"loginId": "test"})).await.good();
    assert!(stand_in.inbox(PHONE).is_empty());
    let first = post(&stand_in, "/v1/auth/otp/verify/sms", json!({"loginId": "test", "code": code})).await.good();
    assert_eq!(first.body["firstSeen"], true);
}

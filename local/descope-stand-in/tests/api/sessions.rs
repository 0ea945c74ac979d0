//! Sessions and tokens.

use std::time::Duration;

use descope_stand_in::{Issuer, JwksForm, PROJECT_ID, StandIn};
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::client::{Answer, call, get_as, manage, post_as, sign_in};

const PHONE: &str = "+919876543210";

/// The claims of a token, verified with the published keys; `None` if its key is not published.
async fn claims(stand_in: &StandIn, token: &str) -> Option<Value> {
    let keys = call(stand_in, "GET", &format!("/v2/keys/{PROJECT_ID}"), "", "").await.good();
    let keys: JwkSet = serde_json::from_value(keys.body).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&decode_header(token).unwrap().kid.unwrap())?).unwrap();
    let TokenData { claims, .. } = decode(token, &key, &Validation::new(Algorithm::RS256)).unwrap();
    Some(claims)
}

async fn refresh(stand_in: &StandIn, token: &str) -> Answer {
    post_as(stand_in, token, "/v1/auth/refresh", json!({})).await
}

#[tokio::test]
async fn tokens_hold_user_id_method_and_expiry_but_no_address() {
    let stand_in = StandIn::start().await;
    let answer = sign_in(&stand_in, PHONE).await;
    let user_id = answer.body["user"]["userId"].clone();
    let session = claims(&stand_in, &answer.text_of("sessionJwt")).await.unwrap();
    assert_eq!((&session["sub"], &session["drn"], &session["iss"]), (&user_id, &json!("DS"), &json!(PROJECT_ID)));
    assert_eq!(session["amr"], json!(["sms"]));
    assert_eq!(session["exp"].as_i64().unwrap() - session["iat"].as_i64().unwrap(), 600);
    assert!(session["rexp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(session.get("roles"), None);
    assert!(!session.to_string().contains(PHONE));
    let refresh = claims(&stand_in, &answer.text_of("refreshJwt")).await.unwrap();
    assert_eq!((&refresh["drn"], refresh.get("rexp")), (&json!("DSR"), None));
    assert_eq!(refresh["exp"].as_i64().unwrap() - refresh["iat"].as_i64().unwrap(), 4 * 7 * 24 * 3600);
}

#[tokio::test]
async fn the_issuer_can_be_a_url() {
    let stand_in = StandIn::start().await;
    stand_in.change(|settings| settings.issuer = Issuer::Url);
    let answer = sign_in(&stand_in, PHONE).await;
    let session = claims(&stand_in, &answer.text_of("sessionJwt")).await.unwrap();
    assert_eq!(session["iss"], format!("{}/{PROJECT_ID}", stand_in.url()));
}

#[tokio::test]
async fn a_refresh_picks_up_roles_and_keeps_the_refresh_token() {
    let stand_in = StandIn::start().await;
    let first = sign_in(&stand_in, PHONE).await;
    stand_in.set_roles(PHONE, &["admin", "staff"]);
    let token = first.text_of("refreshJwt");
    let (second, third) = (refresh(&stand_in, &token).await.good(), refresh(&stand_in, &token).await.good());
    assert_eq!(second.body["refreshJwt"], "");
    assert_ne!(second.body["sessionJwt"], third.body["sessionJwt"]);
    let before = claims(&stand_in, &first.text_of("sessionJwt")).await.unwrap();
    let after = claims(&stand_in, &second.text_of("sessionJwt")).await.unwrap();
    assert_eq!(after["roles"], json!(["admin", "staff"]));
    assert_eq!(after["rexp"], before["rexp"]);
    call(&stand_in, "GET", "/v1/auth/refresh", &format!("{PROJECT_ID}:{token}"), "").await.good();
}

#[tokio::test]
async fn with_rotation_a_refresh_token_can_be_used_once() {
    let stand_in = StandIn::start().await;
    stand_in.change(|settings| settings.rotates_refresh_tokens = true);
    let old = sign_in(&stand_in, PHONE).await.text_of("refreshJwt");
    let new = refresh(&stand_in, &old).await.good().text_of("refreshJwt");
    assert_eq!(refresh(&stand_in, &old).await.code(), (401, "E064001"));
    refresh(&stand_in, &new).await.good();
}

#[tokio::test]
async fn a_refresh_token_expires_and_a_session_token_does_not_refresh() {
    let stand_in = StandIn::start().await;
    let answer = sign_in(&stand_in, PHONE).await;
    assert_eq!(refresh(&stand_in, &answer.text_of("sessionJwt")).await.code(), (401, "E061005"));
    stand_in.advance(Duration::from_hours(4 * 7 * 24));
    let token = answer.text_of("refreshJwt");
    assert_eq!(refresh(&stand_in, &token).await.code(), (401, "E061005"));
    let tried = post_as(&stand_in, &token, "/v1/auth/try-refresh", json!({})).await.good();
    assert_eq!(tried.body["sessionJwt"], "");
}

#[tokio::test]
async fn a_signed_refresh_token_without_a_session_is_refused() {
    let stand_in = StandIn::start().await;
    let user_id = sign_in(&stand_in, PHONE).await.body["user"]["userId"].as_str().unwrap().to_owned();
    let mut claims = stand_in.session_claims(&user_id);
    claims["drn"] = json!("DSR");
    let header = json!({"alg": "RS256", "kid": stand_in.kid(), "typ": "JWT"});
    assert_eq!(refresh(&stand_in, &stand_in.sign(header, claims)).await.code(), (401, "E061005"));
}

#[tokio::test]
async fn a_logout_ends_one_session_and_logging_out_everywhere_ends_all() {
    let stand_in = StandIn::start().await;
    let tokens = [
        sign_in(&stand_in, PHONE).await.text_of("refreshJwt"),
        sign_in(&stand_in, PHONE).await.text_of("refreshJwt"),
        sign_in(&stand_in, PHONE).await.text_of("refreshJwt"),
    ];
    assert_eq!(get_as(&stand_in, &tokens[0], "/v1/auth/me").await.good().body, stand_in.user(PHONE).unwrap());
    let gone = post_as(&stand_in, &tokens[0], "/v1/auth/logout", json!({})).await.good();
    assert_eq!((&gone.body["sessionJwt"], &gone.body["refreshJwt"]), (&json!(""), &json!("")));
    for answer in [refresh(&stand_in, &tokens[0]).await, get_as(&stand_in, &tokens[0], "/v1/auth/me").await] {
        assert_eq!(answer.code(), (401, "E064001"));
        assert!(answer.text_of("errorMessage").contains("Expired due to logout"));
    }
    refresh(&stand_in, &tokens[1]).await.good();
    post_as(&stand_in, &tokens[1], "/v1/auth/logoutall", json!({})).await.good();
    assert_eq!(refresh(&stand_in, &tokens[2]).await.code(), (401, "E064001"));
}

#[tokio::test]
async fn the_management_api_logs_out_by_login_id_and_by_user_id() {
    let stand_in = StandIn::start().await;
    for id in ["loginId", "userId"] {
        let session = sign_in(&stand_in, PHONE).await;
        let mut body = json!({"loginId": "", "userId": ""});
        body[id] = if id == "userId" { session.body["user"]["userId"].clone() } else { json!(PHONE) };
        manage(&stand_in, "/v1/mgmt/user/logout", body).await.good();
        assert_eq!(refresh(&stand_in, &session.text_of("refreshJwt")).await.code(), (401, "E064001"));
    }
}

#[tokio::test]
async fn a_session_token_validates_until_it_expires() {
    let stand_in = StandIn::start().await;
    let token = sign_in(&stand_in, PHONE).await.text_of("sessionJwt");
    let valid = post_as(&stand_in, &token, "/v1/auth/validate", json!({})).await.good();
    assert_eq!(valid.body["drn"], "DS");
    stand_in.advance(Duration::from_mins(10));
    let late = post_as(&stand_in, &token, "/v1/auth/validate", json!({})).await;
    assert_eq!(late.code(), (401, "E061005"));
}

#[tokio::test]
async fn tokens_of_an_old_key_are_valid_while_it_is_published() {
    let stand_in = StandIn::start().await;
    let answer = sign_in(&stand_in, PHONE).await;
    stand_in.rotate_key(true);
    assert!(claims(&stand_in, &answer.text_of("sessionJwt")).await.is_some());
    refresh(&stand_in, &answer.text_of("refreshJwt")).await.good();
    stand_in.rotate_key(false);
    assert!(claims(&stand_in, &answer.text_of("sessionJwt")).await.is_none());
    assert_eq!(refresh(&stand_in, &answer.text_of("refreshJwt")).await.code(), (401, "E061005"));
}

#[tokio::test]
async fn the_key_set_is_an_object_or_an_array() {
    let stand_in = StandIn::start().await;
    let keys =
        async |version: &str| call(&stand_in, "GET", &format!("/{version}/keys/{PROJECT_ID}"), "", "").await.body;
    let array = keys("v1").await;
    assert_eq!(array[0]["kid"], stand_in.kid());
    assert_eq!(keys("v2").await, json!({"keys": array}));
    stand_in.change(|settings| settings.jwks_form = JwksForm::Array);
    assert_eq!(keys("v2").await, array);
    assert_eq!(call(&stand_in, "GET", "/v2/keys/P2another", "", "").await.status, 404);
}

#[tokio::test]
async fn claims_requested_by_a_client_appear_only_in_nsec() {
    let stand_in = StandIn::start().await;
    let options = json!({"customClaims": {"roles": ["admin"]}});
    let send = json!({"loginId": PHONE, "loginOptions": options});
    crate::client::post(&stand_in, "/v1/auth/otp/signup-in/sms", send).await.good();
    let code = crate::client::last_code(&stand_in, PHONE);
    let verify = json!({"loginId": PHONE, "code": code});
    let answer = crate::client::post(&stand_in, "/v1/auth/otp/verify/sms", verify).await.good();
    let session = claims(&stand_in, &answer.text_of("sessionJwt")).await.unwrap();
    assert_eq!((session.get("roles"), &session["nsec"]["roles"]), (None, &json!(["admin"])));
}

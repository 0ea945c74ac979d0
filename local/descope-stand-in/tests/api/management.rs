//! The management API.

use descope_stand_in::{MANAGEMENT_KEY, PROJECT_ID, StandIn};
use serde_json::{Value, json};

use crate::client::{Answer, call, get_as, manage, post_as, sign_in};

const PHONE: &str = "+919876543210";
const EMAIL: &str = "asha@example.com";

async fn load(stand_in: &StandIn, query: &str) -> Answer {
    get_as(stand_in, MANAGEMENT_KEY, &format!("/v1/mgmt/user?{query}")).await
}

async fn patch(stand_in: &StandIn, body: Value) -> Answer {
    call(stand_in, "PATCH", "/v1/mgmt/user/patch", &format!("{PROJECT_ID}:{MANAGEMENT_KEY}"), &body.to_string()).await
}

#[tokio::test]
async fn calls_without_the_project_id_or_the_management_key_are_refused() {
    let stand_in = StandIn::start().await;
    for bearer in ["", PROJECT_ID, &format!("{PROJECT_ID}:wrong"), &format!("P2another:{MANAGEMENT_KEY}")] {
        let refused = call(&stand_in, "GET", "/v1/mgmt/role/all", bearer, "").await;
        assert_eq!(refused.code(), (401, "E061004"), "{bearer}");
        assert_eq!(refused.body["message"], refused.body["errorMessage"]);
    }
    let stranger = call(&stand_in, "GET", "/v1/auth/password/policy", "P2another", "").await;
    assert_eq!(stranger.code(), (401, "E061004"));
}

#[tokio::test]
async fn a_user_created_with_an_address_as_login_id_is_invited_with_that_address_verified() {
    let stand_in = StandIn::start().await;
    let user = manage(&stand_in, "/v1/mgmt/user/create", json!({"loginId": EMAIL})).await.good().body["user"].clone();
    assert_eq!(
        (&user["email"], &user["verifiedEmail"], &user["status"], &user["loginIds"]),
        (&json!(EMAIL), &json!(true), &json!("invited"), &json!([EMAIL]))
    );
    for name in ["TOTP", "SAML", "OAuth", "SCIM", "OIDC", "webauthn", "ssoAppIds", "createdTime", "permissions"] {
        assert!(user.get(name).is_some(), "{name}");
    }
    let again = manage(&stand_in, "/v1/mgmt/user/create", json!({"identifier": EMAIL})).await;
    assert_eq!(again.code(), (400, "E062107"));
    let explicit = json!({"loginId": PHONE, "email": "b@example.com", "verifiedEmail": false, "verifiedPhone": true});
    let user = manage(&stand_in, "/v1/mgmt/user/create", explicit).await.good().body["user"].clone();
    assert_eq!(
        (&user["verifiedEmail"], &user["verifiedPhone"], &user["phone"]),
        (&json!(false), &json!(true), &json!(PHONE))
    );
}

#[tokio::test]
async fn a_user_is_found_by_login_id_and_by_user_id() {
    let stand_in = StandIn::start().await;
    let user_id = sign_in(&stand_in, PHONE).await.body["user"]["userId"].as_str().unwrap().to_owned();
    let expected = json!({"user": stand_in.user(PHONE).unwrap()});
    for query in [
        format!("loginId={}", PHONE.replace('+', "%2B")),
        format!("loginId={PHONE}"),
        format!("userId={user_id}"),
        format!("loginId={user_id}"),
    ] {
        assert_eq!(load(&stand_in, &query).await.good().body, expected, "{query}");
    }
    assert_eq!(load(&stand_in, "loginId=nobody").await.code(), (404, "E112102"));
    let users = manage(&stand_in, "/v1/mgmt/users/load", json!({"userIds": [user_id]})).await.good();
    assert_eq!(users.body["total"], 1);
    let found = manage(&stand_in, "/v2/mgmt/user/search", json!({"phones": [PHONE], "limit": 10})).await.good();
    assert_eq!(found.body["users"], json!([stand_in.user(PHONE).unwrap()]));
    let nobody = manage(&stand_in, "/v2/mgmt/user/search", json!({"emails": [EMAIL]})).await.good();
    assert_eq!(nobody.body, json!({"users": [], "total": 0}));
}

#[tokio::test]
async fn a_patch_merges_and_an_update_overwrites() {
    let stand_in = StandIn::start().await;
    let user = json!({"loginId": EMAIL, "displayName": "Asha", "customAttributes": {"a": 1}, "roleNames": ["staff"]});
    manage(&stand_in, "/v1/mgmt/user/create", user).await.good();
    let change = json!({"loginId": EMAIL, "phone": PHONE, "customAttributes": {"b": 2}});
    let user = patch(&stand_in, change).await.good().body["user"].clone();
    assert_eq!(
        (&user["name"], &user["phone"], &user["verifiedPhone"], &user["email"], &user["roleNames"]),
        (&json!("Asha"), &json!(PHONE), &json!(true), &json!(EMAIL), &json!(["staff"]))
    );
    assert_eq!(user["customAttributes"], json!({"a": 1, "b": 2}));
    assert_eq!(patch(&stand_in, json!({"loginId": EMAIL, "roleNames": []})).await.body["user"]["roleNames"], json!([]));

    let overwrite = json!({"loginId": EMAIL, "email": EMAIL, "verifiedEmail": false});
    let user = manage(&stand_in, "/v1/mgmt/user/update", overwrite).await.good().body["user"].clone();
    assert_eq!(
        (&user["name"], &user["phone"], &user["verifiedPhone"], &user["verifiedEmail"], &user["customAttributes"]),
        (&json!(""), &json!(""), &json!(false), &json!(false), &json!({}))
    );
    assert_eq!(patch(&stand_in, json!({"loginId": "nobody"})).await.code(), (404, "E112102"));
}

#[tokio::test]
async fn deleting_ends_sessions_and_fails_the_second_time() {
    let stand_in = StandIn::start().await;
    let session = sign_in(&stand_in, PHONE).await;
    manage(&stand_in, "/v1/mgmt/user/delete", json!({"loginId": PHONE})).await.good();
    let refused = post_as(&stand_in, &session.text_of("refreshJwt"), "/v1/auth/refresh", json!({})).await;
    assert_eq!(refused.code(), (401, "E064001"));
    let user_id = session.body["user"]["userId"].clone();
    let again = manage(&stand_in, "/v1/mgmt/user/delete", json!({"userId": user_id})).await;
    assert_eq!(again.code(), (404, "E112102"));
}

#[tokio::test]
async fn only_roles_that_exist_can_be_given() {
    let stand_in = StandIn::start().await;
    sign_in(&stand_in, PHONE).await;
    let roles = |names: Value| json!({"loginId": PHONE, "roleNames": names});
    let given = manage(&stand_in, "/v2/mgmt/user/update/role/add", roles(json!(["admin"]))).await.good();
    assert_eq!(given.body["user"]["roleNames"], json!(["admin"]));
    let unknown = manage(&stand_in, "/v1/mgmt/user/update/role/set", roles(json!(["mechanic"]))).await;
    assert_eq!(unknown.code(), (400, "E011004"));
    manage(&stand_in, "/v1/mgmt/role/create", json!({"name": "mechanic"})).await.good();
    manage(&stand_in, "/v1/mgmt/user/update/role/set", roles(json!(["mechanic", "staff"]))).await.good();
    let left = manage(&stand_in, "/v1/mgmt/user/update/role/remove", roles(json!(["staff"]))).await.good();
    assert_eq!(left.body["user"]["roleNames"], json!(["mechanic"]));
    let all = get_as(&stand_in, MANAGEMENT_KEY, "/v1/mgmt/role/all").await.good();
    assert_eq!(all.body["roles"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn single_attributes_can_be_updated() {
    let stand_in = StandIn::start().await;
    sign_in(&stand_in, PHONE).await;
    for (path, body, name, expected) in [
        ("name", json!({"displayName": "Asha", "familyName": "Rao"}), "familyName", json!("Rao")),
        ("picture", json!({"picture": "http://localhost/a.png"}), "picture", json!("http://localhost/a.png")),
        ("email", json!({"email": EMAIL, "verified": true}), "verifiedEmail", json!(true)),
        ("phone", json!({"phone": "", "verified": false}), "phone", json!("")),
        ("customAttribute", json!({"attributeKey": "a", "attributeValue": 1}), "customAttributes", json!({"a": 1})),
        ("loginid", json!({"newLoginId": EMAIL}), "loginIds", json!([EMAIL])),
    ] {
        let mut body = body;
        body["loginId"] = json!(PHONE);
        let answer = manage(&stand_in, &format!("/v1/mgmt/user/update/{path}"), body).await.good();
        assert_eq!(answer.body["user"][name], expected, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_gets_404_with_the_usual_error_body() {
    let stand_in = StandIn::start().await;
    let answer = manage(&stand_in, "/v1/mgmt/nothing", json!({})).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text_of("errorMessage").contains("POST /v1/mgmt/nothing"));
}

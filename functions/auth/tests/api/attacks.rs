//! Attacks by a caller who knows the project id and calls Descope directly: no user, login id or token made there opens
//! another person's account.

use descope_stand_in::Fault;
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    outgoing,
};
use sqlx::PgPool;

use super::{Answer, EMAIL, PASSWORD, PHONE, World, failure, refresh_token};

pub(super) const MALLORYS_PHONE: &str = "+919000000001";
pub(super) const MALLORYS_EMAIL: &str = "mallory@evil.example";
pub(super) const PROFILE: &str = "/api/auth/profile/";

/// Calls Descope with the public project id, or with a refresh token as well.
pub(super) async fn at_descope(world: &World, path: &str, refresh_token: Option<&str>, body: Value) -> Value {
    let holder = refresh_token.map(|token| format!(":{token}")).unwrap_or_default();
    let request = outgoing::client().unwrap().post(world.descope.url() + path).json(&body);
    let answer = request.bearer_auth(format!("{}{holder}", descope_stand_in::PROJECT_ID)).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}");
    answer.json().await.unwrap_or_default()
}

pub(super) async fn sign_up(world: &World, login_id: &str, user: Value) -> Value {
    let body = json!({ "loginId": login_id, "password": PASSWORD, "user": user });
    at_descope(world, "/v1/auth/password/signup", None, body).await
}

/// Adds Mallory's number to the user of a refresh token.
pub(super) async fn add_phone(world: &World, refresh_token: &str, body: Value) -> Value {
    at_descope(world, "/v1/auth/otp/update/phone/sms", Some(refresh_token), body).await;
    let code = world.code(MALLORYS_PHONE);
    at_descope(world, "/v1/auth/otp/verify/sms", None, json!({ "loginId": EMAIL, "code": code })).await
}

pub(super) async fn reset(world: &World, token: &str) -> Answer {
    let body = json!({ "token": token, "new_password": "another password" });
    world.client.post("/api/auth/password-reset-confirm/", &body).await
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_code_sent_elsewhere_does_not_prove_the_login_id(pool: PgPool) {
    let world = World::new(pool).await;
    let mallory = world.user("mallory@example.com").await;
    for (login_id, channel, mine, attribute) in
        [(PHONE, "sms", MALLORYS_PHONE, "phone"), (EMAIL, "email", MALLORYS_EMAIL, "email")]
    {
        for client in [&world.client, &mallory] {
            sign_up(&world, login_id, json!({ attribute: mine })).await;
            // Asks Descope directly: our own endpoint would first delete Mallory's user.
            at_descope(&world, &format!("/v1/auth/otp/signin/{channel}"), None, json!({ "loginId": login_id })).await;
            let shown = json!({ "identifier": login_id, "otp_code": world.code(mine) });
            let answer = client.post("/api/auth/otp/verify/", &shown).await;
            assert_eq!(failure(&answer), (400, "INVALID_OTP"));
            // The owner can still sign in.
            let owner = world.prove(&world.client, login_id).await;
            assert_eq!((owner.status, &owner.body["user"]["is_verified"]), (200, &json!(true)), "{}", owner.text);
            let id = world.descope.user(login_id).unwrap()["userId"].as_str().unwrap().to_owned();
            world.forget_user(&id).await;
        }
    }
    assert_eq!(mallory.get(PROFILE).await.body["is_verified"], false);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_link_proves_only_the_address_that_it_was_mailed_to(pool: PgPool) {
    let world = World::new(pool).await;
    sign_up(&world, EMAIL, json!({ "email": EMAIL, "phone": MALLORYS_PHONE })).await;
    at_descope(&world, "/v1/auth/magiclink/signin/sms", None, json!({ "loginId": EMAIL, "redirectUrl": "http://l" }))
        .await;
    let by_phone = reset(&world, &world.link(MALLORYS_PHONE)).await;
    assert_eq!(failure(&by_phone), (400, "VALIDATION_ERROR"));
    // Also refused when Descope calls the address verified because its owner's first proof was interrupted.
    let made = world.descope.user(EMAIL).unwrap();
    let sessions = testing::sessions(&Database::from(world.pool.clone()), &world.descope, &world.redis);
    let verified = json!({ "email": EMAIL, "verifiedEmail": true });
    sessions.descope.patch_user(made["userId"].as_str().unwrap(), &verified).await.unwrap();
    at_descope(&world, "/v1/auth/magiclink/signin/sms", None, json!({ "loginId": EMAIL, "redirectUrl": "http://l" }))
        .await;
    let by_phone = reset(&world, &world.link(MALLORYS_PHONE)).await;
    assert_eq!(failure(&by_phone), (400, "VALIDATION_ERROR"));
    sign_up(&world, "other@example.com", json!({ "email": MALLORYS_EMAIL })).await;
    world.client.post("/api/auth/password-reset/", &json!({ "email": "other@example.com" })).await;
    assert_eq!(reset(&world, &world.link(MALLORYS_EMAIL)).await.status, 200);
    let owner = world.prove(&world.client, "other@example.com").await;
    assert_eq!(owner.status, 200);
    let mallory = world.login(MALLORYS_EMAIL, "another password").await;
    assert_ne!(mallory.body["user"]["id"], owner.body["user"]["id"]);
    assert_eq!(failure(&world.login("other@example.com", "another password").await).0, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_first_proof_removes_a_login_id_added_at_descope(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let token = refresh_token(&registered);
    let body = json!({ "loginId": EMAIL, "phone": MALLORYS_PHONE, "addToLoginIDs": true });
    add_phone(&world, &token, body).await;
    let owner = world.prove(&world.client, EMAIL).await;
    assert_eq!(owner.status, 200, "{}", owner.text);
    let mallory = world.prove(&world.client, MALLORYS_PHONE).await;
    assert_ne!(mallory.body["user"]["id"], owner.body["user"]["id"]);
    assert_eq!(failure(&world.signed_in(&registered).get(PROFILE).await), (401, "SESSION_REVOKED"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn proving_a_number_in_a_session_does_not_prove_the_account_s_address(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let body = json!({ "loginId": EMAIL, "phone": MALLORYS_PHONE, "addToLoginIDs": true });
    add_phone(&world, &refresh_token(&registered), body).await;
    let mallory = world.signed_in(&registered);
    assert_eq!(world.prove(&mallory, MALLORYS_PHONE).await.status, 200);
    let owner = world.prove(&world.client, EMAIL).await;
    assert_eq!(owner.status, 200, "{}", owner.text);
    assert_eq!(failure(&mallory.get(PROFILE).await), (401, "SESSION_REVOKED"));
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 401);
    assert_ne!(world.prove(&world.client, MALLORYS_PHONE).await.body["user"]["id"], owner.body["user"]["id"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_number_verified_at_descope_does_not_prove_the_address(pool: PgPool) {
    let world = World::new(pool).await;
    let made = sign_up(&world, EMAIL, json!({ "email": EMAIL })).await;
    let verified =
        add_phone(&world, &text(&made, "refreshJwt"), json!({ "loginId": EMAIL, "phone": MALLORYS_PHONE })).await;
    let mallory = world.bearing(&text(&verified, "sessionJwt"));
    assert_eq!(mallory.get(PROFILE).await.status, 200);
    assert_eq!(world.prove(&world.client, EMAIL).await.status, 200);
    assert_eq!(mallory.get(PROFILE).await.status, 401);
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_first_proof_ends_sessions_of_a_user_made_without_a_password(pool: PgPool) {
    let world = World::new(pool).await;
    let body = json!({ "loginId": PHONE, "user": { "email": MALLORYS_EMAIL } });
    at_descope(&world, "/v1/auth/otp/signup/email", None, body).await;
    let code = world.code(MALLORYS_EMAIL);
    let made = at_descope(&world, "/v1/auth/otp/verify/email", None, json!({ "loginId": PHONE, "code": code })).await;
    let mallory = world.bearing(&text(&made, "sessionJwt"));
    assert_eq!(mallory.get(PROFILE).await.body["is_verified"], false);
    let owner = world.prove(&world.client, PHONE).await;
    assert_eq!((owner.status, &owner.body["user"]["phone_number"]), (200, &json!(PHONE)));
    assert_eq!(mallory.get(PROFILE).await.status, 401);
    let refreshed = json!({ "refresh_token": text(&made, "refreshJwt") });
    assert_eq!(world.client.post("/api/auth/token/refresh/", &refreshed).await.status, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unparsable_number_does_not_verify_the_login_id(pool: PgPool) {
    let world = World::new(pool).await;
    let short = "+6834000";
    let body = json!({ "loginId": PHONE, "phone": short, "user": { "phone": short } });
    at_descope(&world, "/v1/auth/otp/signup/sms", None, body).await;
    let code = world.code(short);
    let made = at_descope(&world, "/v1/auth/otp/verify/sms", None, json!({ "loginId": PHONE, "code": code })).await;
    let status = world.bearing(&text(&made, "sessionJwt")).get("/api/auth/phone/verification-status/").await;
    assert_eq!(status.body, json!({ "is_phone_verified": false, "phone_number": null }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_reset_that_cannot_end_the_sessions_at_descope_fails(pool: PgPool) {
    let world = World::new(pool).await;
    world.prove(&world.client, EMAIL).await;
    world.client.post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await;
    world.descope.spoil("/v1/mgmt/user/logout", Fault::status(500).times(2));
    assert_eq!(failure(&reset(&world, &world.link(EMAIL)).await), (502, "UPSTREAM_ERROR"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_first_reset_discards_changes_pending_at_descope(pool: PgPool) {
    let world = World::new(pool).await;
    let kept = signed_up_by_code(&world).await;
    let phone = json!({ "loginId": EMAIL, "phone": MALLORYS_PHONE });
    at_descope(&world, "/v1/auth/otp/update/phone/sms", Some(&kept), phone).await;
    let mail = json!({ "loginId": EMAIL, "email": EMAIL, "redirectUrl": "http://l" });
    at_descope(&world, "/v1/auth/magiclink/update/email", Some(&kept), mail).await;
    assert_eq!(reset(&world, &world.link(EMAIL)).await.status, 200);
    let url = world.descope.url() + "/v1/auth/otp/verify/sms";
    let late = json!({ "loginId": EMAIL, "code": world.code(MALLORYS_PHONE) });
    let request = outgoing::client().unwrap().post(url).bearer_auth(descope_stand_in::PROJECT_ID).json(&late);
    assert!(!request.send().await.unwrap().status().is_success());
}

/// Mallory signs up with another person's login id and her own address; returns her refresh token.
pub(super) async fn signed_up_by_code(world: &World) -> String {
    let body = json!({ "loginId": EMAIL, "user": { "email": MALLORYS_EMAIL } });
    at_descope(world, "/v1/auth/otp/signup/email", None, body).await;
    let shown = json!({ "loginId": EMAIL, "code": world.code(MALLORYS_EMAIL) });
    text(&at_descope(world, "/v1/auth/otp/verify/email", None, shown).await, "refreshJwt")
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_user_with_a_very_long_login_id_can_sign_in(pool: PgPool) {
    let world = World::new(pool).await;
    // Even compressed it is too long for a B-tree index entry.
    let long: String = (0..500).map(|_| testing::random_prefix()).collect();
    let made = sign_up(&world, &long, json!({})).await;
    let answer = world.bearing(&text(&made, "sessionJwt")).get(PROFILE).await;
    assert_eq!((answer.status, &answer.body["username"]), (200, &json!(long)));
}

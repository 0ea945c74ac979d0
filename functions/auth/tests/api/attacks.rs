//! Attacks by a caller who knows the project id and calls Descope directly: no user, login id or token made there opens
//! another person's account.

use std::time::Duration;

use descope_stand_in::Fault;
use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    outgoing,
};
use sqlx::PgPool;

use super::{Answer, EMAIL, PASSWORD, PHONE, World, failure, function, refresh_token};

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
async fn a_retried_proof_ends_sessions_opened_after_the_interrupted_one(pool: PgPool) {
    let world = World::new(pool).await;
    let made = sign_up(&world, EMAIL, json!({ "email": EMAIL })).await;
    world.descope.spoil("/v1/mgmt/user/delete", Fault::status(500).times(2));
    assert_eq!(world.prove(&world.client, EMAIL).await.status, 502);
    world.descope.clear_faults();
    let mallory = world.bearing(&text(&made, "sessionJwt"));
    assert_eq!(mallory.get(PROFILE).await.body["is_verified"], false, "it was not she who proved it");
    let by_phone = world.prove(&mallory, MALLORYS_PHONE).await;
    let owner = world.prove(&world.client, EMAIL).await;
    assert_eq!(owner.status, 200);
    assert_eq!(world.signed_in(&by_phone).get(PROFILE).await.status, 401);
    assert_ne!(world.prove(&world.client, MALLORYS_PHONE).await.body["user"]["id"], owner.body["user"]["id"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_role_given_in_the_console_counts_from_the_first_proof_on(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    world.descope.set_roles(EMAIL, &["staff", "admin"]);
    // Mallory registered with the mechanic's address.
    let login = world.login(EMAIL, PASSWORD).await;
    assert_eq!((&login.body["user"]["is_staff"], &login.body["user"]["is_superuser"]), (&json!(false), &json!(false)));
    let refreshed =
        world.client.post("/api/auth/token/refresh/", &json!({ "refresh": refresh_token(&registered) })).await;
    for session in [&login, &refreshed] {
        let profile = world.signed_in(session).get(PROFILE).await;
        assert_eq!((profile.status, &profile.body["is_staff"]), (200, &json!(false)));
    }
    let mechanic = world.prove(&world.client, EMAIL).await;
    assert_eq!(mechanic.body["user"]["is_staff"], true);
    assert_eq!(world.signed_in(&mechanic).get(PROFILE).await.body["is_superuser"], true);
    for session in [&login, &refreshed] {
        assert_eq!(world.signed_in(session).get(PROFILE).await.status, 401);
    }
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
async fn a_removed_role_is_gone_with_the_next_token(pool: PgPool) {
    let world = World::new(pool).await;
    world.prove(&world.client, EMAIL).await;
    world.descope.set_roles(EMAIL, &["staff"]);
    let login = world.prove(&world.client, EMAIL).await;
    assert_eq!(login.body["user"]["is_staff"], true);
    world.prove(&world.signed_in(&login), PHONE).await;
    world.descope.set_roles(EMAIL, &[]);
    assert_eq!(world.prove(&world.client, PHONE).await.body["user"]["is_staff"], false);
    let refreshed = world.client.post("/api/auth/token/refresh/", &json!({ "refresh": refresh_token(&login) })).await;
    assert_eq!(world.signed_in(&refreshed).get(PROFILE).await.body["is_staff"], false);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_login_in_progress_during_a_reset_is_refused(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    // An account with a proved address and a password that Descope checks.
    world.prove(&world.client, EMAIL).await;
    world.client.post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await;
    let body = json!({ "token": world.link(EMAIL), "new_password": PASSWORD });
    assert_eq!(world.client.post("/api/auth/password-reset-confirm/", &body).await.status, 200);
    world.client.post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await;
    // A function without keys in memory: its login waits for the delayed fetch.
    let slow = function(Database::from(pool), &world.descope.url(), &testing::redis());
    let keys = format!("/v2/keys/{}", descope_stand_in::PROJECT_ID);
    let known = world.descope.calls(&keys);
    world.descope.spoil(&keys, Fault::delay(Duration::from_millis(1500)));
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let login = async { slow.post("/api/auth/login/", &body).await };
    let reset = async {
        testing::eventually("the login waits", async || world.descope.calls(&keys) > known).await;
        reset(&world, &world.link(EMAIL)).await
    };
    let (login, reset) = futures::join!(login, reset);
    assert_eq!((reset.status, failure(&login)), (200, (401, "INVALID_CREDENTIALS")));
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
async fn two_sign_ins_within_a_second_may_get_the_same_token(pool: PgPool) {
    let world = World::new(pool).await;
    world.descope.change(|settings| settings.makes_tokens_unique = false);
    world.register(EMAIL).await;
    for _ in 0..6 {
        let login = world.login(EMAIL, PASSWORD).await;
        assert_eq!(login.status, 200, "{}", login.text);
        assert_eq!(world.signed_in(&login).get(PROFILE).await.status, 200);
    }
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

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_token_used_between_two_attempts_of_a_first_proof_is_revoked(pool: PgPool) {
    let world = World::new(pool).await;
    let kept = signed_up_by_code(&world).await;
    let change = json!({ "loginId": EMAIL, "email": EMAIL });
    at_descope(&world, "/v1/auth/otp/update/email", Some(&kept), change).await;
    world.descope.spoil("/v1/mgmt/user/delete", Fault::status(500).times(2));
    let shown = json!({ "identifier": EMAIL, "otp_code": world.code(EMAIL) });
    assert_eq!(world.client.post("/api/auth/otp/verify/", &shown).await.status, 502);
    let token = text(&at_descope(&world, "/v1/auth/refresh", Some(&kept), json!({})).await, "sessionJwt");
    let mallory = world.bearing(&token);
    assert_eq!(mallory.get(PROFILE).await.status, 200);
    let owner = world.prove(&world.client, EMAIL).await;
    assert_eq!((owner.status, mallory.get(PROFILE).await.status), (200, 401));
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

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_token_fetched_before_the_first_proof_is_refused_after_it(pool: PgPool) {
    let world = World::new(pool).await;
    let made = sign_up(&world, PHONE, json!({})).await;
    world.bearing(&text(&made, "sessionJwt")).get(PROFILE).await;
    let kept = at_descope(&world, "/v1/auth/refresh", Some(&text(&made, "refreshJwt")), json!({})).await;
    let owner = world.prove(&world.client, PHONE).await;
    assert_eq!(owner.status, 200);
    assert_eq!(world.bearing(&text(&kept, "sessionJwt")).get(PROFILE).await.status, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_token_used_after_an_interrupted_proof_proves_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let made = sign_up(&world, EMAIL, json!({ "email": EMAIL })).await;
    world.descope.spoil("/v1/mgmt/user/delete", Fault::status(500).times(2));
    assert_eq!(world.prove(&world.client, EMAIL).await.status, 502);
    world.descope.clear_faults();
    let mallory = world.bearing(&text(&made, "sessionJwt"));
    mallory.get(PROFILE).await;
    assert_eq!(world.prove(&world.client, EMAIL).await.status, 200);
    assert_eq!(mallory.get(PROFILE).await.status, 401);
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_token_for_a_replaced_number_does_not_open_the_old_account(pool: PgPool) {
    let world = World::new(pool).await;
    let first = world.prove(&world.client, PHONE).await;
    let ada = world.signed_in(&first);
    assert_eq!(world.prove(&ada, "+919876500002").await.status, 200);
    let kept = at_descope(&world, "/v1/auth/refresh", Some(&refresh_token(&first)), json!({})).await;
    let number = world.bearing(&text(&kept, "sessionJwt"));
    for _ in 0..2 {
        assert_eq!(number.get(PROFILE).await.body["id"], 2);
    }
    assert_eq!(ada.get(PROFILE).await.body["id"], 1);
    assert_eq!(world.count("user_sessions").await, 2);
}

//! Tokens that a caller has kept: none opens an account after its first proof, a reset or a change of its roles.

use std::time::Duration;

use descope_stand_in::Fault;
use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;

use super::{
    EMAIL, PASSWORD, PHONE, World,
    attacks::{MALLORYS_PHONE, PROFILE, at_descope, reset, sign_up, signed_up_by_code, text},
    failure, function, refresh_token,
};

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
    assert_eq!(by_phone.status, 403, "a token from elsewhere adds nothing");
    assert_eq!(mallory.get(PROFILE).await.status, 401);
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

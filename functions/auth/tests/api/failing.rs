//! Descope slow, broken or unreachable: a clear error, no partial writes, and success once Descope is back.

use std::time::Duration;

use descope_stand_in::Fault;
use serde_json::{Value, json};
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::{Answer, Client, Fault as Broken, Network};

use super::{EMAIL, PASSWORD, PHONE, World, failure, function, refresh_token};

/// Longer than the timeout of a call to Descope.
const TOO_LONG: Duration = Duration::from_secs(6);

/// Bad answers of Descope, each with the status and code that our caller gets.
fn troubles() -> Vec<(Fault, u16, &'static str)> {
    let html = Fault { body: Some(json!("<html>bad gateway</html>")), ..Fault::status(502) };
    let html_as_success = Fault { body: Some(json!("<html>welcome</html>")), ..Fault::status(200) };
    let html_as_refusal = Fault { body: Some(json!("<html>no</html>")), ..Fault::status(400) };
    let empty = Fault { body: Some(json!({})), ..Fault::status(200) };
    let secret = json!({ "errorCode": "E999999", "errorDescription": "do-not-tell", "errorMessage": "do-not-tell" });
    let server_error = Fault { body: Some(secret), ..Fault::status(500) };
    vec![
        (server_error, 502, "UPSTREAM_ERROR"),
        (html, 502, "UPSTREAM_ERROR"),
        (html_as_success, 502, "UPSTREAM_ERROR"),
        (html_as_refusal, 502, "UPSTREAM_ERROR"),
        (empty, 502, "UPSTREAM_ERROR"),
        (Fault::rate_limited(7), 429, "THROTTLED"),
    ]
}

fn told_nothing(answer: &Answer) {
    for word in ["do-not-tell", "E999999", "html", "127.0.0.1", EMAIL, PHONE] {
        assert!(!answer.text.contains(word), "{}", answer.text);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failure_of_descope_is_reported_and_writes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.register("known@example.com").await;
    let refresh = json!({ "refresh_token": refresh_token(&user) });
    let rows = (world.count("users").await, world.count("user_sessions").await);
    let register = json!({ "email": EMAIL, "password": PASSWORD, "first_name": "J", "last_name": "D" });
    let routes: [(&str, &str, Value); 6] = [
        ("register", "/v1/auth/password/signup", register),
        ("login", "/v1/auth/password/signin", json!({ "email": "known@example.com", "password": PASSWORD })),
        ("phone/verify-otp", "/v1/auth/otp/verify/sms", json!({ "phone_number": PHONE, "otp_code": "123456" })),
        ("phone/login", "/v1/auth/otp/verify/sms", json!({ "phone_number": PHONE, "otp_code": "123456" })),
        ("password-reset-confirm", "/v1/auth/magiclink/verify", json!({ "token": "t", "new_password": PASSWORD })),
        ("token/refresh", "/v1/auth/refresh", refresh),
    ];
    for (route, path, body) in &routes {
        for (fault, status, code) in troubles() {
            let what = format!("{route} {fault:?}");
            world.descope.spoil(path, fault);
            let answer = world.client.post(&format!("/api/auth/{route}/"), body).await;
            assert_eq!(failure(&answer), (status, code), "{what}");
            told_nothing(&answer);
            assert_eq!(world.descope.user(EMAIL), None, "{what}");
            assert_eq!((world.count("users").await, world.count("user_sessions").await), rows, "{what}");
        }
    }
    assert_eq!(world.client.post("/api/auth/token/refresh/", &routes[5].2).await.status, 200);
    assert_eq!(world.register(EMAIL).await.status, 201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_message_is_never_sent_twice_by_a_retry(pool: PgPool) {
    let world = World::new(pool).await;
    world.prove(&world.client, EMAIL).await;
    let body = json!({ "phone_number": PHONE });
    for (fault, status, code) in troubles() {
        let is_answered = fault.status == Some(200);
        for (route, path, body) in [
            ("phone/request-otp", "/v1/auth/otp/signup-in/sms", &body),
            ("password-reset", "/v1/auth/password/reset", &json!({ "email": EMAIL })),
        ] {
            let calls = world.descope.calls(path);
            world.descope.spoil(path, fault.clone());
            let answer = world.client.post(&format!("/api/auth/{route}/"), body).await;
            assert_eq!(world.descope.calls(path) - calls, 1, "{route} {fault:?}");
            if !(is_answered && fault.body == Some(json!({}))) {
                assert_eq!(failure(&answer), (status, code), "{route} {fault:?}");
                told_nothing(&answer);
            }
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_slow_descope_is_reported_as_a_timeout(pool: PgPool) {
    let world = World::new(pool).await;
    world.register("known@example.com").await;
    world.descope.spoil("/v1/auth/password/signin", Fault::delay(TOO_LONG));
    world.descope.spoil("/v1/auth/password/signup", Fault::delay(TOO_LONG));
    let late = world.login("known@example.com", PASSWORD).await;
    assert_eq!(failure(&late), (504, "UPSTREAM_TIMEOUT"));
    told_nothing(&late);
    let late = world.register(EMAIL).await;
    assert_eq!(failure(&late), (504, "UPSTREAM_TIMEOUT"));
    assert_eq!(world.login("known@example.com", PASSWORD).await.status, 200);
    assert_eq!(world.register(EMAIL).await.status, 201, "whether Descope made the user or not");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unreachable_descope_is_reported_until_it_is_back(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let registered = world.register(EMAIL).await;
    let server = world.descope.url().trim_start_matches("http://").to_owned();
    let network = Network::to(&server).await;
    let url = format!("http://127.0.0.1:{}", network.port());
    let client: Client = function(Database::from(pool), &url, &world.redis);
    let login = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(client.post("/api/auth/login/", &login).await.status, 200);
    network.set(Broken::Stopped);
    let away = client.post("/api/auth/login/", &login).await;
    assert_eq!(failure(&away), (502, "UPSTREAM_ERROR"));
    told_nothing(&away);
    let user = client.with("X-Session-Token", &super::session_token(&registered));
    assert_eq!(user.get("/api/auth/profile/").await.status, 200);
    // A session revoked here is refused even if Descope has not been told.
    assert_eq!(user.post("/api/auth/logout/", &json!({})).await.status, 200);
    assert_eq!(failure(&user.get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
    let noted: i64 = sqlx::query_scalar(
        "select count(*) from user_sessions where revoked_at is not null and refresh_token_sealed is not null",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(noted, 1, "that Descope has not heard of it is noted");
    network.set(Broken::None);
    let back = client.post("/api/auth/login/", &login).await;
    assert_eq!(back.status, 200, "{}", back.text);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_interrupted_first_proof_is_finished_by_the_next(pool: PgPool) {
    let world = World::new(pool).await;
    let steps = ["mgmt/user/delete", "mgmt/user/create", "mgmt/user/signin/embeddedlink", "auth/magiclink/verify"];
    for (number, step) in steps.into_iter().enumerate() {
        let email = format!("owner{number}@example.com");
        let registered = world.register(&email).await;
        let mallory = world.signed_in(&registered);
        world.descope.spoil(&format!("/v1/{step}"), Fault::status(500).times(2));
        let cut = world.prove(&world.client, &email).await;
        assert_eq!(failure(&cut), (502, "UPSTREAM_ERROR"), "{step}");
        world.descope.clear_faults();
        let owner = world.prove(&world.client, &email).await;
        assert_eq!(owner.status, 200, "{step} {}", owner.text);
        assert_eq!(owner.body["user"]["id"], registered.body["user"]["id"], "{step}");
        assert_eq!(failure(&mallory.get("/api/auth/profile/").await), (401, "SESSION_REVOKED"), "{step}");
        assert_eq!(failure(&world.login(&email, PASSWORD).await), (401, "INVALID_CREDENTIALS"), "{step}");
        assert_eq!(world.signed_in(&owner).get("/api/auth/profile/").await.status, 200);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_interrupted_reset_ends_all_sessions_and_can_be_repeated(pool: PgPool) {
    let world = World::new(pool).await;
    let reset = async |password: &str| {
        assert_eq!(world.client.post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await.status, 200);
        let body = json!({ "token": world.link(EMAIL), "new_password": password });
        world.client.post("/api/auth/password-reset-confirm/", &body).await
    };
    // The first reset replaces the registered Descope user with a new one.
    let mut old = PASSWORD.to_owned();
    let mut user = world.user(EMAIL).await;
    for step in ["mgmt/user/password/set/active", "auth/password/update", "mgmt/user/logout", "auth/password/signin"] {
        world.descope.spoil(&format!("/v1/{step}"), Fault::status(500).times(2));
        let new = format!("new password after {step}");
        assert_eq!(failure(&reset(&new).await), (502, "UPSTREAM_ERROR"), "{step}");
        world.descope.clear_faults();
        assert_eq!(failure(&user.get("/api/auth/profile/").await), (401, "SESSION_REVOKED"), "{step}");
        if step.starts_with("mgmt/user/password") {
            // A login with the new password makes no second account.
            assert_eq!(failure(&world.login(EMAIL, &new).await), (401, "INVALID_CREDENTIALS"));
        }
        assert_eq!(reset(&new).await.status, 200, "{step}");
        assert_eq!(failure(&world.login(EMAIL, &old).await), (401, "INVALID_CREDENTIALS"), "{step}");
        user = world.signed_in(&world.login(EMAIL, &new).await);
        old = new;
    }
    assert_eq!(world.count("users").await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_sign_in_method_disabled_in_the_project_is_an_upstream_error(pool: PgPool) {
    let world = World::new(pool).await;
    let off = json!({ "errorCode": "E061001", "errorDescription": "disabled" });
    world.descope.spoil("/v1/auth/password/signin", Fault { body: Some(off), ..Fault::status(400) });
    assert_eq!(failure(&world.login(EMAIL, PASSWORD).await), (502, "UPSTREAM_ERROR"));
    world
        .descope
        .spoil("/v1/auth/password/signin", Fault { body: Some(json!({ "errorCode": "E1" })), ..Fault::status(403) });
    assert_eq!(failure(&world.login(EMAIL, PASSWORD).await), (502, "UPSTREAM_ERROR"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn our_own_key_refused_by_descope_is_not_the_caller_s_fault(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.register("known@example.com").await;
    let refused = json!({ "errorCode": "E061004", "errorDescription": "Unauthorized request" });
    let refused = || Fault { body: Some(refused.clone()), ..Fault::status(401) };
    let phone = json!({ "phone_number": PHONE, "otp_code": "123456" });
    let counts = testing::Counts::start();
    for (route, path, body) in [
        ("register", "/v1/auth/password/signup", super::registration(EMAIL)),
        ("login", "/v1/auth/password/signin", json!({ "email": "known@example.com", "password": PASSWORD })),
        ("phone/request-otp", "/v1/auth/otp/signup-in/sms", json!({ "phone_number": PHONE })),
        ("phone/verify-otp", "/v1/auth/otp/verify/sms", phone.clone()),
        ("phone/login", "/v1/auth/otp/verify/sms", phone),
        ("password-reset", "/v1/auth/magiclink/signin/email", json!({ "email": "known@example.com" })),
        ("password-reset-confirm", "/v1/auth/magiclink/verify", json!({ "token": "t", "new_password": PASSWORD })),
    ] {
        world.descope.spoil(path, refused());
        let answer = world.client.post(&format!("/api/auth/{route}/"), &body).await;
        assert_eq!(failure(&answer), (502, "UPSTREAM_ERROR"), "{route}");
    }
    assert_eq!(counts.of(shared::metrics::Count::DescopeKeysRefused), 7, "what raises the alarm");
    // With a user's token it is the token that is refused.
    world.descope.spoil("/v1/auth/refresh", refused());
    let refresh = json!({ "refresh_token": refresh_token(&user) });
    assert_eq!(failure(&world.client.post("/api/auth/token/refresh/", &refresh).await), (401, "TOKEN_INVALID"));
}

//! Password reset by a mailed link.

use std::time::Duration;

use auth::{DEADLINE, Messages};
use descope_stand_in::MessageKind;
use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::Client;

use super::{EMAIL, PASSWORD, PHONE, World, app, failure};

const NEW: &str = "another good password";

async fn ask(world: &World, email: &str) -> super::Answer {
    world.client.post("/api/auth/password-reset/", &json!({ "email": email })).await
}

async fn confirm(world: &World, token: &str, password: &str) -> super::Answer {
    let body = json!({ "token": token, "new_password": password });
    world.client.post("/api/auth/password-reset-confirm/", &body).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_link_sets_a_new_password_once_and_ends_every_session(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let other = world.login(EMAIL, PASSWORD).await;
    assert_eq!(ask(&world, EMAIL).await.status, 200);
    let mail = &world.descope.inbox(EMAIL)[0];
    assert_eq!(mail.kind, MessageKind::MagicLink, "the address is not verified yet");
    assert!(mail.link.as_deref().unwrap().starts_with("http://localhost:3000/reset?t="));

    let token = world.link(EMAIL);
    let long = confirm(&world, &token, &"x".repeat(65)).await;
    let limit = json!({ "new_password": ["Ensure this field has no more than 64 characters."] });
    assert_eq!((failure(&long), &long.body["details"]), ((400, "VALIDATION_ERROR"), &limit));
    assert_eq!(world.signed_in(&other).get("/api/auth/profile/").await.status, 200, "nothing has been done yet");
    let weak = confirm(&world, &token, "short").await;
    assert_eq!(
        (failure(&weak), &weak.body["details"]),
        ((400, "VALIDATION_ERROR"), &json!({ "new_password": ["Ensure this field has at least 8 characters."] }))
    );
    let done = confirm(&world, &token, NEW).await;
    assert_eq!((done.status, done.body), (200, json!({ "message": "Password reset successfully" })));

    for answer in [&registered, &other] {
        let profile = world.signed_in(answer).get("/api/auth/profile/").await;
        assert_eq!(failure(&profile), (401, "SESSION_REVOKED"));
        let at_descope = world.descope.url() + "/v1/auth/refresh";
        let bearer = format!("Bearer {}:{}", descope_stand_in::PROJECT_ID, super::refresh_token(answer));
        assert_eq!(super::tokens::http_post(&at_descope, &bearer, &json!({})).await, 401);
    }
    assert_eq!(failure(&world.login(EMAIL, PASSWORD).await), (401, "INVALID_CREDENTIALS"));
    let back = world.login(EMAIL, NEW).await;
    assert_eq!(
        (back.status, &back.body["user"]["id"], &back.body["user"]["is_verified"]),
        (200, &json!(1), &json!(true))
    );

    let used = confirm(&world, &token, NEW).await;
    assert_eq!(used.body["details"], json!({ "token": ["This link is invalid or has expired."] }));
    assert_eq!(world.signed_in(&back).get("/api/auth/profile/").await.status, 200);

    // Now that the address is verified, Descope's own mail is sent.
    assert_eq!(ask(&world, EMAIL).await.status, 200);
    assert_eq!(world.descope.inbox(EMAIL)[0].kind, MessageKind::Reset);
    assert_eq!(confirm(&world, &world.link(EMAIL), PASSWORD).await.status, 200);
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_reset_request_does_not_tell_whether_an_account_exists(pool: PgPool) {
    let world = World::new(pool).await;
    world.register("unverified@example.com").await;
    world.prove(&world.client, "verified@example.com").await;
    let mut answers = Vec::new();
    for email in ["unverified@example.com", "verified@example.com", "nobody@example.com"] {
        let calls = world.descope.all_calls().len();
        let answer = ask(&world, email).await;
        assert_eq!((answer.status, world.descope.all_calls().len() - calls), (200, 2), "{email}");
        answers.push(answer.text);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(world.descope.inbox("nobody@example.com").is_empty());
    assert_eq!(world.descope.user("nobody@example.com"), None);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_or_expired_link_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let user = world.user(EMAIL).await;
    ask(&world, EMAIL).await;
    let token = world.link(EMAIL);
    world.descope.advance(Duration::from_hours(1));
    for token in [token.as_str(), "x", &"y".repeat(5000), &token[1..]] {
        let answer = confirm(&world, token, NEW).await;
        assert_eq!(failure(&answer), (400, "VALIDATION_ERROR"));
        assert_eq!(answer.body["details"], json!({ "token": ["This link is invalid or has expired."] }));
    }
    let empty = world.client.post("/api/auth/password-reset-confirm/", &json!({})).await;
    let required = json!(["This field is required."]);
    assert_eq!(empty.body["details"], json!({ "token": required, "new_password": required }));
    assert_eq!(user.get("/api/auth/profile/").await.status, 200);
    assert_eq!(world.login(EMAIL, PASSWORD).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_first_reset_opens_no_account_in_which_a_number_was_proved(pool: PgPool) {
    let world = World::new(pool).await;
    // Mallory registered with Ada's address and added a number of her own.
    let mallory = world.user(EMAIL).await;
    world.prove(&mallory, PHONE).await;
    ask(&world, EMAIL).await;
    assert_eq!(confirm(&world, &world.link(EMAIL), NEW).await.status, 200);
    assert_eq!(world.prove(&world.client, PHONE).await.body["user"]["id"], 1);
    assert_eq!(world.login(EMAIL, NEW).await.body["user"]["id"], 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_a_configured_page_mails_link_to_the_panel_at_the_host_that_the_gateway_names(pool: PgPool) {
    let world = World::new(pool).await;
    world.register("unverified@example.com").await;
    world.prove(&world.client, "verified@example.com").await;
    let database = Database::from(world.pool.clone());
    let mut app = app(&database, &world.descope.url(), &world.redis, testing::no_throttle(&world.redis));
    app.messages = Messages { password_reset_url: None, ..app.messages };
    let client = Client::within(auth::router(app), database, DEADLINE);
    let forged = client.with("Host", "evil.example").with("X-Forwarded-Host", "evil.example");
    let forged = forged.with("Forwarded", "host=evil.example").with("X-Forwarded-Proto", "http");
    for email in ["unverified@example.com", "verified@example.com"] {
        for (client, host) in [(&client, "api.example"), (&forged, "api.example")] {
            let answer = client.post("/api/auth/password-reset/", &json!({ "email": email })).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let link = world.descope.inbox(email)[0].link.clone().unwrap();
            assert!(link.starts_with(&format!("https://{host}/admin/password/?t=")), "{link}");
        }
        let elsewhere = client.received_at(Some("abc123.execute-api.ap-south-1.amazonaws.com"));
        elsewhere.post("/api/auth/password-reset/", &json!({ "email": email })).await;
        let link = world.descope.inbox(email)[0].link.clone().unwrap();
        assert!(link.starts_with("https://abc123.execute-api.ap-south-1.amazonaws.com/admin/password/?t="), "{link}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_a_configured_page_and_without_a_host_no_mail_is_sent(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    let database = Database::from(world.pool.clone());
    let mut app = app(&database, &world.descope.url(), &world.redis, testing::no_throttle(&world.redis));
    app.messages = Messages { password_reset_url: None, ..app.messages };
    let client = Client::within(auth::router(app), database, DEADLINE).with("Host", "evil.example");
    let mails = world.descope.inbox(EMAIL).len();
    for host in [None, Some(""), Some("evil.example/x?"), Some("a b"), Some("api.example:8443"), Some("1.2.3.4.5")] {
        let answer = client.received_at(host).post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await;
        assert_eq!(failure(&answer), (500, "INTERNAL_ERROR"), "{host:?}");
    }
    assert_eq!(world.descope.inbox(EMAIL).len(), mails);
}

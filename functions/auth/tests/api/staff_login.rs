//! Sign-in of the shop's people at the paths of the staff app.

use auth::{DEADLINE, Limits};
use descope_stand_in::StandIn;
use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    throttle::Throttle,
};
use sqlx::PgPool;
use testing::Client;

use super::{EMAIL, PASSWORD, World, app, failure, refresh_token, told};

const PATHS: [&str; 2] = ["/api/auth/staff/login/", "/api/auth/staff/login/password/"];

#[sqlx::test(migrator = "MIGRATOR")]
async fn staff_sign_in_and_learn_their_role(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    testing::prove_identities(&world.pool).await;
    for (roles, role, is_manager) in [(&["staff"][..], "staff", false), (&["staff", "admin"], "admin", true)] {
        world.descope.set_roles(EMAIL, roles);
        for (path, name) in PATHS.into_iter().zip(["identifier", "email"]) {
            let answer = world.client.post(path, &json!({ name: EMAIL, "password": PASSWORD })).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let user = world.signed_in(&answer).get("/api/auth/profile/").await.body;
            assert_eq!((&user["is_staff"], &user["is_superuser"]), (&json!(true), &json!(is_manager)));
            let mut expected = json!({
                "message": "Login successful", "user": user, "session_token": "<token>", "refresh_token": "<token>"
            });
            expected["user"]["is_manager"] = json!(is_manager);
            expected["user"]["role"] = json!(role);
            expected["user"]["name"] = json!("John Doe");
            assert_eq!(told(&answer), testing::timeless(expected));
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_user_without_a_role_is_refused_and_no_session_stays_open(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    // A role of an account that has proved nothing does not count.
    for roles in [&[][..], &["admin"]] {
        world.descope.set_roles(EMAIL, roles);
        let ended = world.descope.calls("/v1/auth/logout");
        for path in PATHS {
            let body = json!({ "identifier": EMAIL, "password": PASSWORD });
            assert_eq!(failure(&world.client.post(path, &body).await), (403, "PERMISSION_DENIED"));
        }
        assert_eq!(world.count("user_sessions").await, 1, "that of the registration");
        assert_eq!(world.descope.calls("/v1/auth/logout") - ended, 2, "ended at Descope too");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_wrong_password_of_staff_is_401_like_an_unknown_address(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    testing::prove_identities(&world.pool).await;
    world.descope.set_roles(EMAIL, &["staff"]);
    for path in PATHS {
        for (email, password) in [(EMAIL, "wrongpassword"), ("unknown@example.com", PASSWORD)] {
            let answer = world.client.post(path, &json!({ "email": email, "password": password })).await;
            assert_eq!(failure(&answer), (401, "INVALID_CREDENTIALS"));
        }
        let empty = world.client.post(path, &json!({})).await;
        let required = json!(["This field is required."]);
        assert_eq!(empty.body["details"], json!({ "identifier": required, "password": required }));
        let malformed = world.client.post(path, &json!({ "email": "x", "password": PASSWORD })).await;
        assert_eq!(malformed.body["details"], json!({ "email": ["Enter a valid email address."] }));
    }
    assert_eq!(world.count("user_sessions").await, 1);
    assert!(!refresh_token(&registered).is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn tries_at_a_staff_password_count_with_those_at_login(pool: PgPool) {
    let (descope, redis) = (StandIn::start().await, testing::redis());
    let database = Database::from(pool);
    let app = auth::App {
        limits: Limits::from_env().unwrap(),
        ..app(&database, &descope.url(), &redis, Throttle::new(redis.clone(), true))
    };
    let client = Client::within(auth::router(app), database, DEADLINE);
    let body = json!({ "email": EMAIL, "password": "wrongpassword" });
    let paths = PATHS.into_iter().chain(["/api/auth/login/"]).cycle();
    for path in paths.clone().take(10) {
        assert_eq!(client.post(path, &body).await.status, 401);
    }
    for path in paths.take(3) {
        assert_eq!(failure(&client.post(path, &body).await), (429, "THROTTLED"), "{path}");
    }
}

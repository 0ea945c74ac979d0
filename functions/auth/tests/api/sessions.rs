//! Sessions: listing, revoking and refreshing.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};

use super::{EMAIL, PASSWORD, PHONE, World, failure, refresh_token, session_token, tokens::http_post};

async fn refresh_at_descope(world: &World, refresh_token: &str) -> u16 {
    let bearer = format!("Bearer {}:{refresh_token}", descope_stand_in::PROJECT_ID);
    http_post(&(world.descope.url() + "/v1/auth/refresh"), &bearer, &json!({})).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_user_s_own_sessions_are_listed_newest_first(pool: PgPool) {
    let world = World::new(pool).await;
    let phone = world.client.with("User-Agent", "RepairMyBike/1.0 (Android)").at("198.51.100.7");
    world.register(EMAIL).await;
    world.register("other@example.com").await;
    let login = phone.post("/api/auth/login/", &json!({ "email": EMAIL, "password": PASSWORD })).await;
    let listed = world.signed_in(&login).get("/api/auth/sessions/").await;
    assert_eq!(listed.header("cache-control"), "no-store");
    let sessions = listed.body["sessions"].as_array().unwrap();
    let facts = |session: &Value| {
        json!([
            session["id"],
            session["is_active"],
            session["is_current"],
            session["user_agent"],
            session["ip_address"]
        ])
    };
    let [newest, oldest] = sessions.as_slice() else { panic!("{sessions:?}") };
    assert_eq!(facts(newest), json!([3, true, true, "RepairMyBike/1.0 (Android)", "198.51.100.7"]));
    assert_eq!(facts(oldest), json!([1, true, false, "", "203.0.113.9"]));
    let moment = |name: &str| newest[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_eq!(moment("created_at"), moment("last_seen_at"));
    let lifetime = moment("expires_at") - moment("created_at");
    assert!((TimeDelta::days(27)..=TimeDelta::days(28)).contains(&lifetime), "{lifetime}");
    let keys: Vec<&String> = newest.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 8, "{keys:?}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_revoked_session_ends_here_and_at_descope_and_others_stay_active(pool: PgPool) {
    let world = World::new(pool).await;
    let lost = world.register(EMAIL).await;
    let mine = world.signed_in(&world.login(EMAIL, PASSWORD).await);
    for _ in 0..2 {
        let revoked = mine.post("/api/auth/sessions/1/revoke/", &json!({})).await;
        assert_eq!((revoked.status, revoked.body), (200, json!({ "message": "Session revoked successfully" })));
        assert_eq!(failure(&world.signed_in(&lost).get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
    }
    let body = json!({ "refresh_token": refresh_token(&lost) });
    let refreshed = world.client.post("/api/auth/token/refresh/", &body).await;
    assert_eq!(failure(&refreshed), (401, "SESSION_REVOKED"));
    assert_eq!(refresh_at_descope(&world, &refresh_token(&lost)).await, 401);
    let listed = mine.get("/api/auth/sessions/").await.body;
    assert_eq!(
        (&listed["sessions"][0]["is_active"], &listed["sessions"][1]["is_active"]),
        (&json!(true), &json!(false))
    );
    let sealed: i64 = sqlx::query_scalar("select count(*) from user_sessions where refresh_token_sealed is not null")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(sealed, 1, "what has ended is not kept");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn another_user_s_session_cannot_be_revoked(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.user(EMAIL).await;
    let bob = world.user("bob@example.com").await;
    for id in ["1", "99", "x", "-1", "99999999999999999999"] {
        let answer = bob.post(&format!("/api/auth/sessions/{id}/revoke/"), &json!({})).await;
        assert_eq!(failure(&answer), (404, "NOT_FOUND"), "{id}");
    }
    assert_eq!(ada.get("/api/auth/profile/").await.status, 200);
    assert_eq!(bob.get("/api/auth/sessions/").await.body["sessions"].as_array().unwrap().len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn logging_out_ends_only_the_caller_s_session(pool: PgPool) {
    let world = World::new(pool).await;
    let first = world.register(EMAIL).await;
    let second = world.login(EMAIL, PASSWORD).await;
    let stranger = world.register("bob@example.com").await;
    // Another user's refresh token is ignored.
    let body = json!({ "refresh_token": refresh_token(&stranger) });
    let out = world.signed_in(&first).post("/api/auth/logout/", &body).await;
    assert_eq!((out.status, out.body), (200, json!({ "message": "Logout successful" })));
    assert_eq!(failure(&world.signed_in(&first).get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
    assert_eq!(refresh_at_descope(&world, &refresh_token(&first)).await, 401);
    for answer in [&second, &stranger] {
        assert_eq!(world.signed_in(answer).get("/api/auth/profile/").await.status, 200);
        assert_eq!(refresh_at_descope(&world, &refresh_token(answer)).await, 200);
    }
    let without_body = world.signed_in(&second).send("POST", "/api/auth/logout", None).await;
    assert_eq!(without_body.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refresh_token_alone_logs_out_its_session(pool: PgPool) {
    let world = World::new(pool).await;
    let (first, second) = (world.register(EMAIL).await, world.login(EMAIL, PASSWORD).await);
    let body = json!({ "refresh_token": refresh_token(&first) });
    for _ in 0..2 {
        let out = world.client.post("/api/auth/logout/", &body).await;
        assert_eq!((out.status, out.body), (200, json!({ "message": "Logout successful" })));
        assert_eq!(failure(&world.signed_in(&first).get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
        assert_eq!(refresh_at_descope(&world, &refresh_token(&first)).await, 401);
    }
    assert_eq!(world.signed_in(&second).get("/api/auth/profile/").await.status, 200);
    let forged = json!({ "refresh_token": refresh_token(&second) + "A" });
    assert_eq!(failure(&world.client.post("/api/auth/logout/", &forged).await), (401, "TOKEN_INVALID"));
    assert_eq!(world.signed_in(&second).get("/api/auth/profile/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refresh_token_that_did_not_come_through_us_logs_out_its_session(pool: PgPool) {
    let world = World::new(pool).await;
    world.register(EMAIL).await;
    let elsewhere =
        testing::sessions(&shared::database::Database::from(world.pool.clone()), &world.descope, &world.redis)
            .descope
            .sign_in(EMAIL, &PASSWORD.to_owned().into())
            .await
            .unwrap();
    assert_eq!(world.bearing(&elsewhere.session_jwt).get("/api/auth/profile/").await.status, 200);
    let body = json!({ "refresh_token": elsewhere.refresh_jwt });
    assert_eq!(world.client.post("/api/auth/logout/", &body).await.status, 200);
    let profile = world.bearing(&elsewhere.session_jwt).get("/api/auth/profile/").await;
    assert_eq!(failure(&profile), (401, "SESSION_REVOKED"));
    assert_eq!(refresh_at_descope(&world, &elsewhere.refresh_jwt).await, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn logging_out_of_a_session_that_has_ended_or_expired_succeeds(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let descope_user_id: String =
        sqlx::query_scalar("select descope_user_id from user_identities").fetch_one(&world.pool).await.unwrap();
    let mut claims = world.descope.session_claims(&descope_user_id);
    claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 60);
    let expired = world.descope.sign(json!({ "alg": "RS256", "kid": world.descope.kid(), "typ": "JWT" }), claims);
    let insert =
        "insert into session_tokens (token_sha256, kind, session_id, expires_at) values ($1, 'session', 1, now())";
    let hash = shared::session::sha256(&expired);
    sqlx::query(insert).bind(&hash[..]).execute(&world.pool).await.unwrap();
    let expired = world.bearing(&expired);
    assert_eq!(failure(&expired.get("/api/auth/profile/").await), (401, "TOKEN_EXPIRED"));
    for _ in 0..2 {
        let out = expired.post("/api/auth/logout/", &json!({})).await;
        assert_eq!((out.status, out.body), (200, json!({ "message": "Logout successful" })));
        assert_eq!(refresh_at_descope(&world, &refresh_token(&registered)).await, 401, "its session has ended");
    }
    let ended = world.login(EMAIL, PASSWORD).await;
    for _ in 0..2 {
        assert_eq!(world.signed_in(&ended).post("/api/auth/logout/", &json!({})).await.status, 200);
    }
    let last = world.login(EMAIL, PASSWORD).await;
    let body = json!({ "refresh_token": refresh_token(&last) });
    assert_eq!(world.signed_in(&ended).post("/api/auth/logout/", &body).await.status, 200);
    assert_eq!(failure(&world.signed_in(&last).get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
    let forged = world.bearing(&(session_token(&last) + "A")).post("/api/auth/logout/", &body).await;
    assert_eq!(failure(&forged), (401, "TOKEN_INVALID"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refreshed_token_belongs_to_the_same_session(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let token = refresh_token(&registered);
    let refreshed = world.client.post("/api/auth/token/refresh/", &json!({ "refresh": token })).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    assert_eq!(refreshed.body.as_object().unwrap().len(), 2);
    assert_eq!(refreshed.body["refresh_token"], token, "Descope does not rotate");
    assert_ne!(session_token(&refreshed), session_token(&registered));
    assert_eq!(world.count("user_sessions").await, 1);
    let client = world.signed_in(&refreshed);
    assert_eq!(client.get("/api/auth/sessions/").await.body["sessions"][0]["is_current"], true);
    client.post("/api/auth/sessions/1/revoke/", &json!({})).await;
    for answer in [&registered, &refreshed] {
        assert_eq!(failure(&world.signed_in(answer).get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_refresh_token_is_refused_without_asking_descope(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let calls = world.descope.calls("/v1/auth/refresh");
    let tampered = refresh_token(&registered) + "A";
    for token in ["noise", &session_token(&registered), &tampered, &"x".repeat(8000)] {
        let answer = world.client.post("/api/auth/token/refresh/", &json!({ "refresh_token": token })).await;
        assert_eq!(failure(&answer), (401, "TOKEN_INVALID"));
    }
    assert_eq!(world.descope.calls("/v1/auth/refresh"), calls);
    let none = world.client.post("/api/auth/token/refresh/", &json!({})).await;
    assert_eq!(none.body["details"], json!({ "refresh_token": ["This field is required."] }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn parallel_refreshes_with_one_token_all_succeed(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    for rotates in [false, true] {
        world.descope.change(|settings| settings.rotates_refresh_tokens = rotates);
        let mut answer = world.prove(&world.client, if rotates { PHONE } else { "+919876500000" }).await;
        for _ in 0..3 {
            let body = json!({ "refresh_token": refresh_token(&answer) });
            let calls = world.descope.calls("/v1/auth/refresh");
            let environments = world.environments(&options, 10);
            let windows = environments.iter().map(|client| client.post("/api/auth/token/refresh/", &body));
            let answers = join_all(windows).await;
            assert_eq!(world.descope.calls("/v1/auth/refresh") - calls, 1, "one asks for all");
            for other in &answers {
                assert_eq!((other.status, &other.text), (200, &answers[0].text));
            }
            assert_eq!(answers[0].body["refresh_token"] == body["refresh_token"], !rotates);
            answer = answers.into_iter().next().unwrap();
            assert_eq!(world.signed_in(&answer).get("/api/auth/profile/").await.status, 200);
            // Expires the kept answer, so that the next round asks Descope again.
            sqlx::query("update idempotency_keys set expires_at = now()").execute(&world.pool).await.unwrap();
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_refresh_answer_is_stored_encrypted_and_not_replayed_after_logout(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let body = json!({ "refresh_token": refresh_token(&registered) });
    let refreshed = world.client.post("/api/auth/token/refresh/", &body).await;
    let kept: String = sqlx::query_scalar("select string_agg(t::text, ' ') from idempotency_keys t")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let session_rows: String =
        sqlx::query_scalar("select string_agg(t::text, ' ') || (select string_agg(s::text, ' ') from session_tokens s) from user_sessions t")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    let hex = |text: &str| text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    for token in [session_token(&refreshed), refresh_token(&refreshed)] {
        let part = &token[..40];
        for rows in [&kept, &session_rows] {
            assert!(!rows.contains(part) && !rows.contains(&hex(part)));
        }
    }
    world.signed_in(&refreshed).post("/api/auth/logout/", &json!({})).await;
    let again = world.client.post("/api/auth/token/refresh/", &body).await;
    assert_eq!(failure(&again), (401, "SESSION_REVOKED"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_ended_at_descope_cannot_be_refreshed(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let bearer = format!("Bearer {}:{}", descope_stand_in::PROJECT_ID, refresh_token(&registered));
    assert_eq!(http_post(&(world.descope.url() + "/v1/auth/logout"), &bearer, &json!({})).await, 200);
    let body = json!({ "refresh_token": refresh_token(&registered) });
    let answer = world.client.post("/api/auth/token/refresh/", &body).await;
    assert_eq!(failure(&answer), (401, "SESSION_REVOKED"));
}

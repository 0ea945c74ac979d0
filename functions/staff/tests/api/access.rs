//! Access: by a staff key, or by a session with a staff role.

use serde_json::{Value, json};
use shared::{database::MIGRATOR, staff::sha256};
use sqlx::PgPool;
use testing::{Answer, Client, STAFF_KEY};

use super::{World, book, path_of, shop, timeline};

/// Calls every route, with valid and invalid requests, for one booking.
async fn everything(client: &Client, id: i64) -> Vec<Answer> {
    let path = path_of(id);
    vec![
        client.get("/api/staff/bookings/").await,
        client.get("/api/staff/bookings/?status=moon").await,
        client.get("/api/staff/bookings/stats/").await,
        client.get(&path).await,
        client.get(&path_of(999)).await,
        client.patch(&path, &json!({ "notes": "Squeaks" })).await,
        client.patch(&path, &json!({ "notes": 1, "force": "moon" })).await,
        client.patch(&format!("{path}update-status/"), &json!({ "status": "confirmed" })).await,
        client.patch(&format!("{path}update-status/"), &json!({})).await,
        client.post(&format!("{path}record-cash/"), &json!({ "amount": "390.00" })).await,
        client.post(&format!("{path}record-cash/"), &json!({})).await,
        client.post(&format!("{path}refund/"), &json!({ "reason": "Sorry" })).await,
        client.post(&format!("{path}refund/"), &json!({})).await,
        client.post("/api/staff/bookings/cancel/", &json!({ "search": "Zzz", "count": 0, "reason": "Invented" })).await,
        client.post("/api/staff/bookings/cancel/", &json!({})).await,
    ]
}

/// Checks that every request gets this failure and that nothing has changed.
async fn is_refused(pool: &PgPool, client: &Client, id: i64, (status, code): (u16, &str)) {
    for answer in everything(client, id).await {
        assert_eq!((answer.status, &answer.body["code"]), (status, &json!(code)), "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
    }
    let version: i32 = sqlx::query_scalar("select version from bookings").fetch_one(pool).await.unwrap();
    assert_eq!(version, 1);
}

/// Checks that every route is open to this caller.
async fn gets_in(client: &Client, id: i64) {
    let statuses: Vec<u16> = everything(client, id).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 400, 200, 200, 404, 200, 400, 200, 400, 200, 400, 200, 400, 200, 400]);
}

async fn add_key(pool: &PgPool, label: &str, key: &str) {
    let added = sqlx::query("insert into staff_keys (label, key_sha256) values ($1, $2)");
    added.bind(label).bind(sha256(key).as_slice()).execute(pool).await.unwrap();
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_stranger_sees_and_changes_nothing(pool: PgPool) {
    let client = shop(&pool).await;
    let id = book(&pool, &json!({})).await;
    add_key(&pool, "revoked", "old-key").await;
    sqlx::query("update staff_keys set revoked_at = now()").execute(&pool).await.unwrap();
    let refusal = json!({
        "error": true, "message": "The API key is missing or wrong.", "status_code": 403, "code": "API_KEY_INVALID",
        "details": {}, "detail": "The API key is missing or wrong."
    });
    assert_eq!(client.get("/api/staff/bookings/").await.body, refusal);
    is_refused(&pool, &client, id, (403, "API_KEY_INVALID")).await;
    let hash = sha256(STAFF_KEY).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let long = "x".repeat(9000);
    for key in ["", " ", "wrong", "old-key", "desk", "desk:key-of-the-desk", "KEY-OF-THE-DESK", &hash, &long] {
        let client = client.with("X-API-Key", key);
        assert_eq!(client.get("/api/staff/bookings/").await.body, refusal, "{key}");
        is_refused(&pool, &client, id, (403, "API_KEY_INVALID")).await;
    }
    // A key counts only in its header.
    let elsewhere = client.get(&format!("/api/staff/bookings/?api_key={STAFF_KEY}")).await;
    assert_eq!((elsewhere.status, elsewhere.body), (403, refusal));
    is_refused(&pool, &client.with("X-Booking-Token", "x"), id, (403, "API_KEY_INVALID")).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_of_several_keys_opens_every_route_and_the_timeline_names_it(pool: PgPool) {
    let client = shop(&pool).await;
    add_key(&pool, "Front desk", "front-key").await;
    add_key(&pool, "old", "old-key").await;
    for (key, label) in [(STAFF_KEY, "desk"), ("front-key", "Front desk"), (" old-key ", "old")] {
        let id = book(&pool, &json!({})).await;
        gets_in(&client.with("X-API-Key", key), id).await;
        assert_eq!(
            timeline(&pool, id).await,
            json!([
                ["created", null, "pending", "customer"],
                ["notes_changed", "pending", "pending", format!("staff:{label}")],
                ["confirmed", "pending", "confirmed", format!("staff:{label}")],
                ["paid", "confirmed", "confirmed", format!("staff:{label}")],
                ["refund_requested", "confirmed", "confirmed", format!("staff:{label}")],
                ["refunded", "confirmed", "confirmed", format!("staff:{label}")],
            ])
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_revoked_key_is_refused_from_the_next_request_on(pool: PgPool) {
    let client = shop(&pool).await;
    let id = book(&pool, &json!({})).await;
    add_key(&pool, "front desk", "front-key").await;
    let holder = client.with("X-API-Key", "front-key");
    assert_eq!(holder.get("/api/staff/bookings/").await.status, 200);
    sqlx::query("update staff_keys set revoked_at = now()").execute(&pool).await.unwrap();
    is_refused(&pool, &holder, id, (403, "API_KEY_INVALID")).await;
    add_key(&pool, "front desk", "new-key").await;
    assert_eq!(holder.get("/api/staff/bookings/").await.status, 403);
    assert_eq!(client.with("X-API-Key", "new-key").get("/api/staff/bookings/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_with_a_staff_role_opens_every_route_and_the_timeline_names_the_user(pool: PgPool) {
    let world = World::new(pool).await;
    for (number, (phone, role)) in [("+919876500001", "staff"), ("+919876500002", "admin")].into_iter().enumerate() {
        let id = book(&world.pool, &json!({})).await;
        gets_in(&world.user(phone, &[role]).await, id).await;
        let actor = format!("staff:user-{}", number + 1);
        assert_eq!(timeline(&world.pool, id).await[2], json!(["confirmed", "pending", "confirmed", actor]));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_user_without_a_staff_role_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let id = book(&world.pool, &json!({})).await;
    // Even the owner of the booking is refused.
    let customer = world.user("+919876543210", &[]).await;
    is_refused(&world.pool, &customer, id, (403, "PERMISSION_DENIED")).await;
    is_refused(&world.pool, &world.user("+919876500001", &["editor"]).await, id, (403, "PERMISSION_DENIED")).await;
    // A role does not count before the number is proved here.
    let stranger = world.unproved_user("+919876500003", &["staff", "admin"]).await;
    is_refused(&world.pool, &stranger, id, (403, "PERMISSION_DENIED")).await;
    // A removed role is gone with the next token.
    assert_eq!(world.user("+919876500002", &["staff"]).await.get("/api/staff/bookings/").await.status, 200);
    is_refused(&world.pool, &world.user("+919876500002", &[]).await, id, (403, "PERMISSION_DENIED")).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn forged_expired_and_revoked_sessions_are_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let id = book(&world.pool, &json!({})).await;
    let staff = world.user("+919876500001", &["staff"]).await;
    assert_eq!(staff.get("/api/staff/bookings/").await.status, 200);
    let user_id = world.descope.user("+919876500001").unwrap()["userId"].as_str().unwrap().to_owned();
    let header = json!({ "alg": "RS256", "kid": world.descope.kid() });
    let mut claims = world.descope.session_claims(&user_id);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        world.descope.sign(header.clone(), claims)
    };
    let now = claims["iat"].as_i64().unwrap();
    let expired = with("exp", json!(now - 60));
    for (token, code) in [
        (expired.as_str(), "TOKEN_EXPIRED"),
        (&with("drn", json!("DSR")), "TOKEN_INVALID"),
        (&with("iss", json!("P2other")), "TOKEN_INVALID"),
        ("x", "TOKEN_INVALID"),
    ] {
        is_refused(&world.pool, &world.client.with("X-Session-Token", token), id, (401, code)).await;
        // A session that is sent must be valid, even with a valid key.
        let both = world.client.with("X-Session-Token", token).with("X-API-Key", STAFF_KEY);
        is_refused(&world.pool, &both, id, (401, code)).await;
    }
    // Roles in a token with a foreign signature do not count.
    claims["roles"] = json!(["admin"]);
    let unsigned = world.descope.sign(json!({ "alg": "RS256", "kid": "SK2other" }), claims);
    is_refused(&world.pool, &world.client.with("X-Session-Token", &unsigned), id, (401, "TOKEN_INVALID")).await;
    sqlx::query("update user_sessions set revoked_at = now()").execute(&world.pool).await.unwrap();
    is_refused(&world.pool, &staff, id, (401, "SESSION_REVOKED")).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_sent_with_a_session_must_be_valid_and_is_named_as_the_actor(pool: PgPool) {
    let world = World::new(pool).await;
    let id = book(&world.pool, &json!({})).await;
    let staff = world.user("+919876500001", &["staff"]).await;
    is_refused(&world.pool, &staff.with("X-API-Key", "wrong"), id, (403, "API_KEY_INVALID")).await;
    let customer = world.user("+919876500002", &[]).await;
    gets_in(&customer.with("X-API-Key", STAFF_KEY), id).await;
    assert_eq!(timeline(&world.pool, id).await[1][3], "staff:desk");
    // An empty header counts as no key.
    assert_eq!(staff.with("X-API-Key", "").get("/api/staff/bookings/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_route_answers_at_its_old_path_with_and_without_a_slash(pool: PgPool) {
    let client = shop(&pool).await.with("X-API-Key", STAFF_KEY);
    for (prefix, time) in [("/api/staff/bookings", "11:00"), ("/api/staff/staff/bookings", "12:00")] {
        for slash in ["", "/"] {
            let id = book(&pool, &json!({ "time": time })).await;
            for path in [format!("{prefix}{slash}"), format!("{prefix}/stats{slash}"), format!("{prefix}/{id}{slash}")]
            {
                assert_eq!(client.get(&path).await.status, 200, "{path}");
            }
            let notes = json!({ "notes": "Squeaks" });
            assert_eq!(client.patch(&format!("{prefix}/{id}{slash}"), &notes).await.status, 200);
            let status = json!({ "status": "confirmed" });
            assert_eq!(client.patch(&format!("{prefix}/{id}/update-status{slash}"), &status).await.status, 200);
            let cash = json!({ "amount": "390.00" });
            assert_eq!(client.post(&format!("{prefix}/{id}/record-cash{slash}"), &cash).await.status, 200);
            let reason = json!({ "reason": "Sorry" });
            assert_eq!(client.post(&format!("{prefix}/{id}/refund{slash}"), &reason).await.status, 200);
        }
    }
    for (method, path) in [("POST", "/api/staff/bookings/"), ("DELETE", "/api/staff/bookings/1/")] {
        assert_eq!(client.send(method, path, None).await.status, 405, "{method} {path}");
    }
}

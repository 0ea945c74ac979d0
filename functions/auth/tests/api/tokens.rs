//! Session tokens: which are refused, which keys count, and what happens while Descope is unreachable.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use descope_stand_in::{Fault, Issuer, JwksForm, StandIn};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::{database::MIGRATOR, outgoing};
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};
use testing::Client;

use super::{EMAIL, PHONE, World, failure, function, refresh_token, session_token};

const PROFILE: &str = "/api/auth/profile/";

fn keys_path() -> String {
    format!("/v2/keys/{}", descope_stand_in::PROJECT_ID)
}

/// Posts to the stand-in directly and returns the status.
pub(super) async fn http_post(url: &str, bearer: &str, body: &Value) -> u16 {
    let request = outgoing::client().unwrap().post(url).header("authorization", bearer).json(body);
    request.send().await.unwrap().status().as_u16()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Invalid tokens: what is wrong with each, the token, and the expected error code.
fn forged(
    stand_in: &StandIn,
    user_id: &str,
    good: &str,
    refresh_token: &str,
) -> Vec<(&'static str, String, &'static str)> {
    let header = json!({ "alg": "RS256", "kid": stand_in.kid(), "typ": "JWT" });
    let claims = stand_in.session_claims(user_id);
    let now = claims["iat"].as_i64().unwrap();
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        stand_in.sign(header.clone(), claims)
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        stand_in.sign(header.clone(), claims)
    };
    let hmac = {
        let header: jsonwebtoken::Header =
            serde_json::from_value(json!({ "alg": "HS256", "kid": stand_in.kid(), "typ": "JWT" })).unwrap();
        let key = jsonwebtoken::EncodingKey::from_secret(&stand_in.public_key());
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let swapped = {
        let mut other = claims.clone();
        other["sub"] = json!("U2somebodyelse");
        format!("{}.{}.{signature}", part(&header), part(&other))
    };
    let none =
        |algorithm: &str| format!("{}.{}.", part(&json!({ "alg": algorithm, "kid": stand_in.kid() })), part(&claims));
    let mut ps256 = header.clone();
    ps256["alg"] = json!("PS256");
    let invalid = "TOKEN_INVALID";
    vec![
        ("alg none", none("none"), invalid),
        ("alg None", none("None"), invalid),
        ("alg none, with a signature", format!("{}{signature}", none("none")), invalid),
        ("HS256 with the public key", hmac, invalid),
        ("another algorithm of the key", stand_in.sign(ps256, claims.clone()), invalid),
        ("wrong kid", stand_in.sign(json!({ "alg": "RS256", "kid": "SK2unknown" }), claims.clone()), invalid),
        ("no kid", stand_in.sign(json!({ "alg": "RS256" }), claims.clone()), invalid),
        ("wrong issuer", with("iss", json!("P2anotherproject00000000000000")), invalid),
        ("issuer that only begins so", with("iss", json!(format!("{}x", descope_stand_in::PROJECT_ID))), invalid),
        ("no issuer", without("iss"), invalid),
        ("expired", with("exp", json!(now - 11)), "TOKEN_EXPIRED"),
        ("no expiry", without("exp"), invalid),
        ("not yet valid", with("nbf", json!(now + 60)), invalid),
        ("no subject", without("sub"), invalid),
        ("neither kind", without("drn"), invalid),
        ("another kind", with("drn", json!("DSX")), invalid),
        ("refresh token as session", refresh_token.to_owned(), invalid),
        ("refresh token's claims", with("drn", json!("DSR")), invalid),
        ("tampered payload", swapped, invalid),
        ("tampered signature", format!("{signed}.{}", signature.chars().rev().collect::<String>()), invalid),
        ("no signature", format!("{signed}."), invalid),
        ("two parts", signed.to_owned(), invalid),
        ("noise", "x".repeat(10_000), invalid),
        ("dots", ".".repeat(10_000), invalid),
        ("not base64", "a.b.c".to_owned(), invalid),
        ("what JavaScript sends", "undefined".to_owned(), invalid),
        ("nothing", String::new(), invalid),
    ]
}

fn in_both_headers(client: &Client, token: &str) -> [Client; 2] {
    [client.with("Authorization", &format!("Bearer {token}")), client.with("X-Session-Token", token)]
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_forged_token_is_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let registered = world.register(EMAIL).await;
    let (good, refresh) = (session_token(&registered), refresh_token(&registered));
    let user_id = world.descope.user(EMAIL).unwrap()["userId"].as_str().unwrap().to_owned();
    for (what, token, code) in forged(&world.descope, &user_id, &good, &refresh) {
        for client in in_both_headers(&world.client, &token) {
            let answer = client.get(PROFILE).await;
            // An empty X-Session-Token counts as none.
            let code = if token.is_empty() && answer.body["code"] != code { "NOT_AUTHENTICATED" } else { code };
            assert_eq!(failure(&answer), (401, code), "{what}");
            assert!(!answer.text.contains(EMAIL));
        }
    }
    for client in in_both_headers(&world.client, &good) {
        assert_eq!(client.get(PROFILE).await.status, 200);
    }
    let leeway = {
        let header = json!({ "alg": "RS256", "kid": world.descope.kid() });
        let mut claims = world.descope.session_claims(&user_id);
        claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 5);
        world.descope.sign(header, claims)
    };
    assert_eq!(world.bearing(&leeway).get(PROFILE).await.status, 200, "clocks may differ by ten seconds");
    let two = world.bearing(&good).with("X-Session-Token", &leeway).get(PROFILE).await;
    assert_eq!(failure(&two), (401, "TOKEN_INVALID"), "two different tokens");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_first_token_of_an_unknown_user_creates_the_account(pool: PgPool) {
    let world = World::new(pool).await;
    world.prove(&world.client, PHONE).await;
    let user_id = world.descope.user(PHONE).unwrap()["userId"].as_str().unwrap().to_owned();
    sqlx::raw_sql("delete from user_sessions; delete from user_identities; delete from users")
        .execute(&world.pool)
        .await
        .unwrap();
    let token = {
        let header = json!({ "alg": "RS256", "kid": world.descope.kid() });
        world.descope.sign(header, world.descope.session_claims(&user_id))
    };
    let client = world.bearing(&token);
    let profile = client.get(PROFILE).await;
    assert_eq!(
        (profile.status, &profile.body["phone_number"], &profile.body["is_verified"]),
        (200, &json!(PHONE), &json!(false)),
        "what Descope calls verified was not proved here"
    );
    let listed = client.get("/api/auth/sessions/").await.body;
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
    let loads = world.descope.calls("/v1/mgmt/user");
    assert_eq!(client.get(PROFILE).await.status, 200);
    assert_eq!(world.descope.calls("/v1/mgmt/user"), loads, "known from now on");

    // Another token of that session, which was fetched at Descope, is revoked with it.
    let sibling = {
        let header = json!({ "alg": "RS256", "kid": world.descope.kid() });
        let mut claims = world.descope.session_claims(&user_id);
        claims["nsec"] = json!({ "another": true });
        let rexp = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        claims["rexp"] = serde_json::from_slice::<Value>(&rexp).unwrap()["rexp"].clone();
        world.descope.sign(header, claims)
    };
    client.post("/api/auth/logout/", &json!({})).await;
    for token in [&token, &sibling] {
        assert_eq!(failure(&world.bearing(token).get(PROFILE).await), (401, "SESSION_REVOKED"));
    }
    let nobody = {
        let header = json!({ "alg": "RS256", "kid": world.descope.kid() });
        world.descope.sign(header, world.descope.session_claims("U2nobody"))
    };
    assert_eq!(failure(&world.bearing(&nobody).get(PROFILE).await), (401, "TOKEN_INVALID"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_first_requests_of_one_user_make_one_account(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    world.client.post("/api/auth/otp/request/", &json!({ "identifier": PHONE })).await;
    let user_id = world.descope.user(PHONE).unwrap()["userId"].as_str().unwrap().to_owned();
    let token = {
        let header = json!({ "alg": "RS256", "kid": world.descope.kid() });
        world.descope.sign(header, world.descope.session_claims(&user_id))
    };
    let environments = world.environments(&options, 8);
    let requests = environments
        .iter()
        .map(async |client| client.with("Authorization", &format!("Bearer {token}")).get(PROFILE).await.status);
    assert_eq!(join_all(requests).await, [200; 8]);
    let (users, sessions) = (world.count("users").await, world.count("user_sessions").await);
    assert_eq!((users, sessions, world.count("session_tokens").await), (1, 1, 1));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn issuer_and_keys_are_accepted_in_both_forms(pool: PgPool) {
    let world = World::new(pool).await;
    for (issuer, form) in [(Issuer::ProjectId, JwksForm::Array), (Issuer::Url, JwksForm::Object)] {
        world.descope.change(|settings| {
            settings.issuer = issuer;
            settings.jwks_form = form;
        });
        world.descope.rotate_key(false);
        let answer = world.prove(&world.client, PHONE).await;
        assert_eq!(world.signed_in(&answer).get(PROFILE).await.status, 200);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_rotate_without_a_failed_request(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let environments = world.environments(&options, 4);
    let mut tokens = vec![session_token(&world.register(EMAIL).await)];
    for _ in 0..3 {
        world.descope.rotate_key(true);
        // Invented keys just before do not delay the fetch of the new key.
        for number in 0..5 {
            let header = json!({ "alg": "RS256", "kid": format!("SK2invented{number}") });
            let forged = world.descope.sign(header, world.descope.session_claims("U2nobody"));
            assert_eq!(world.bearing(&forged).get(PROFILE).await.status, 401);
        }
        tokens.push(session_token(&world.login(EMAIL, super::PASSWORD).await));
        for client in &environments {
            for token in &tokens {
                let answer = client.with("Authorization", &format!("Bearer {token}")).get(PROFILE).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn invented_keys_cause_one_key_fetch_across_all_environments(pool: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(pool.connect_with(options.clone()).await.unwrap()).await;
    let environments = world.environments(&options, 4);
    let asked = world.descope.calls(&keys_path());
    let mut tokens = Vec::new();
    for number in 0..10 {
        let header = json!({ "alg": "RS256", "kid": format!("SK2invented{number}") });
        tokens.push(world.descope.sign(header, world.descope.session_claims("U2nobody")));
    }
    let requests = environments.iter().flat_map(|client| tokens.iter().map(move |token| (client, token)));
    let requests = requests.map(async |(client, token)| {
        client.with("Authorization", &format!("Bearer {token}")).get(PROFILE).await.status
    });
    assert_eq!(join_all(requests).await, [401; 40]);
    assert_eq!(world.descope.calls(&keys_path()) - asked, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn known_keys_keep_working_while_descope_is_unreachable(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let token = session_token(&world.register(EMAIL).await);
    let away = Fault::status(503).times(1000);
    world.descope.spoil(&keys_path(), away);
    // Makes the keys in Redis overdue for a refresh.
    let mut commands = redis::Pipeline::new();
    commands.cmd("GET").arg(world.key("keys"));
    let (kept,): (String,) = world.redis.run(&commands).await.unwrap();
    let mut kept: Value = serde_json::from_str(&kept).unwrap();
    kept["fetched_at"] = json!("2026-01-01T00:00:00Z");
    let mut commands = redis::Pipeline::new();
    commands.cmd("SET").arg(world.key("keys")).arg(kept.to_string()).ignore();
    commands.cmd("DEL").arg(world.key("keys:asked")).ignore();
    world.redis.run::<()>(&commands).await.unwrap();
    for _ in 0..3 {
        let fresh = function(pool.clone().into(), &world.descope.url(), &world.redis);
        let answer = fresh.with("Authorization", &format!("Bearer {token}")).get(PROFILE).await;
        assert_eq!(answer.status, 200, "a new function finds the keys in Redis: {}", answer.text);
    }
    assert_eq!(world.bearing(&token).get(PROFILE).await.status, 200, "an old one has them in memory");
    let unknown = world.descope.sign(json!({ "alg": "RS256", "kid": "SK2new" }), world.descope.session_claims("U2x"));
    let fresh = function(pool.into(), &world.descope.url(), &world.redis);
    let answer = fresh.with("Authorization", &format!("Bearer {unknown}")).get(PROFILE).await;
    assert_eq!(
        failure(&answer),
        (502, "UPSTREAM_ERROR"),
        "it may be good: nobody is signed out because Descope is away"
    );
}

//! Rate limits: per number or address, per IP address, and Descope's own.

use std::time::Duration;

use auth::{DEADLINE, Limits};
use descope_stand_in::{Fault, StandIn};
use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    throttle::{Limit, Throttle},
};
use sqlx::PgPool;
use testing::{Answer, Client, Fault as Broken, Network};

use super::{EMAIL, PASSWORD, app, failure};

fn limited(pool: PgPool, descope: &StandIn, limits: &Limits) -> Client {
    let redis = testing::redis();
    let database = Database::from(pool);
    let throttle = Throttle::new(redis.clone(), true);
    let app = auth::App { limits: *limits, ..app(&database, &descope.url(), &redis, throttle) };
    Client::within(auth::router(app), database, DEADLINE)
}

fn refused(answer: &Answer, at_most: u64) {
    assert_eq!(failure(answer), (429, "THROTTLED"));
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=at_most).contains(&seconds), "{seconds}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_number_gets_one_code_in_thirty_seconds(pool: PgPool) {
    let descope = StandIn::start().await;
    let client = limited(pool, &descope, &Limits::from_env().unwrap());
    let body = json!({ "phone_number": "9876543210" });
    assert_eq!(client.post("/api/auth/phone/request-otp/", &body).await.status, 200);
    for path in ["phone/request-otp", "phone/resend-otp"] {
        let again = client.at("198.51.100.1").post(&format!("/api/auth/{path}/"), &body).await;
        refused(&again, 30);
    }
    refused(&client.post("/api/auth/otp/request/", &json!({ "identifier": "+919876543210" })).await, 30);
    assert_eq!(client.post("/api/auth/phone/resend-otp/", &json!({ "phone_number": "9876543211" })).await.status, 200);
    assert_eq!(client.post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await.status, 200);
    refused(&client.post("/api/auth/password-reset/", &json!({ "email": EMAIL })).await, 30);
    assert_eq!(descope.inbox("+919876543210").len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn codes_per_hour_are_limited_by_number_and_by_ip_address(pool: PgPool) {
    let descope = StandIn::start().await;
    let limits = Limits::from_env().unwrap();
    let patient = Limits { messages_at_once: limits.tries_per_address, ..limits };
    let client = limited(pool, &descope, &patient);
    for _ in 0..5 {
        let sent = client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": "9876543210" })).await;
        assert_eq!(sent.status, 200);
    }
    refused(&client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": "9876543210" })).await, 3600);
    // A request that Descope refuses counts for its IP address: it used up a limit that all callers share.
    descope.spoil("/v1/auth/otp/signup-in/sms", Fault::rate_limited(1).times(3));
    for number in 1..=3 {
        let body = json!({ "phone_number": format!("98765001{number:02}") });
        assert_eq!(client.post("/api/auth/phone/request-otp/", &body).await.status, 429);
    }
    for number in 1..=12 {
        let phone = format!("98765000{number:02}");
        assert_eq!(client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": phone })).await.status, 200);
    }
    let from_here = json!({ "phone_number": "9876500099" });
    refused(&client.post("/api/auth/phone/request-otp/", &from_here).await, 3600);
    assert_eq!(client.at("198.51.100.1").post("/api/auth/phone/request-otp/", &from_here).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn passwords_and_codes_can_fail_ten_times_from_one_network(pool: PgPool) {
    let descope = StandIn::start().await;
    let client = limited(pool, &descope, &Limits::from_env().unwrap());
    let login = |password: &str| json!({ "email": EMAIL, "password": password });
    for number in 0..10 {
        let from = client.at(&format!("198.51.100.{number}"));
        assert_eq!(from.post("/api/auth/login/", &login("wrong")).await.status, 401);
    }
    refused(&client.at("198.51.100.99").post("/api/auth/login/", &login(PASSWORD)).await, 600);
    let calls = descope.all_calls().len();
    for (path, body) in [
        ("phone/verify-otp", json!({ "phone_number": "9876543210", "otp_code": "000000" })),
        ("otp/verify", json!({ "identifier": "098765 43211", "otp_code": "000000" })),
    ] {
        for _ in 0..10 {
            assert_eq!(client.post(&format!("/api/auth/{path}/"), &body).await.status, 400);
        }
        refused(&client.post(&format!("/api/auth/{path}/"), &body).await, 600);
    }
    let login_by_phone = json!({ "phone_number": "9876543210", "otp_code": "000000" });
    refused(&client.post("/api/auth/phone/login/", &login_by_phone).await, 600);
    assert_eq!(descope.all_calls().len() - calls, 20, "what is refused does not reach Descope");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_ip_address_can_try_fifty_times(pool: PgPool) {
    let descope = StandIn::start().await;
    let client = limited(pool, &descope, &Limits::from_env().unwrap());
    for number in 0..50 {
        let body = json!({ "email": format!("user{number}@example.com"), "password": "wrong" });
        assert_eq!(client.post("/api/auth/login/", &body).await.status, 401);
    }
    let body = json!({ "email": "user99@example.com", "password": "wrong" });
    refused(&client.post("/api/auth/login/", &body).await, 600);
    refused(&client.post("/api/auth/register/", &super::registration(EMAIL)).await, 600);
    let link = json!({ "token": "x", "new_password": PASSWORD });
    refused(&client.post("/api/auth/password-reset-confirm/", &link).await, 600);
    assert_eq!(client.at("198.51.100.1").post("/api/auth/login/", &body).await.status, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn descope_s_rate_limit_is_passed_on_and_not_counted_for_the_recipient(pool: PgPool) {
    let descope = StandIn::start().await;
    let client = limited(pool, &descope, &Limits::from_env().unwrap());
    descope.spoil("/v1/auth/otp/signup-in/sms", Fault::rate_limited(42));
    let body = json!({ "phone_number": "9876543210" });
    let answer = client.post("/api/auth/phone/request-otp/", &body).await;
    refused(&answer, 42);
    assert_eq!(answer.header("retry-after"), "42");
    assert_eq!(client.post("/api/auth/phone/request-otp/", &body).await.status, 200, "no code was sent before");
    let html = Fault { status: Some(429), body: Some("<html>slow down</html>".into()), ..Fault::default() };
    descope.spoil("/v1/auth/password/signin", Fault { times: 1, ..html });
    let login = client.post("/api/auth/login/", &json!({ "email": EMAIL, "password": PASSWORD })).await;
    refused(&login, 60);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_redis_requests_pass_but_for_codes_and_revoked_sessions_stay_revoked(pool: PgPool) {
    let descope = StandIn::start().await;
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let redis = testing::redis_at(&url, &testing::random_prefix());
    let database = Database::from(pool);
    let app = app(&database, &descope.url(), &redis, Throttle::new(redis.clone(), true));
    let client = Client::within(auth::router(app), database, DEADLINE);
    client.post("/api/auth/register/", &super::registration(EMAIL)).await;
    let login = json!({ "email": EMAIL, "password": PASSWORD });
    for fault in [Broken::Stopped, Broken::BlackHole] {
        network.set(fault);
        let bearing = |answer: &Answer| client.with("X-Session-Token", &super::session_token(answer));
        let user = bearing(&client.post("/api/auth/login/", &login).await);
        let lost = bearing(&client.post("/api/auth/login/", &login).await);
        assert_eq!(user.get("/api/auth/profile/").await.status, 200, "{fault:?}");
        assert_eq!(lost.post("/api/auth/logout/", &json!({})).await.status, 200);
        assert_eq!(failure(&lost.get("/api/auth/profile/").await), (401, "SESSION_REVOKED"));
        let sent = client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": "9876543210" })).await;
        assert_eq!(failure(&sent), (503, "SERVICE_UNAVAILABLE"));
    }
    assert_eq!(descope.inbox("+919876543210").len(), 0, "codes cost money, and nothing counts them");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn refresh_tokens_are_limited_by_ip_address_before_postgres_is_asked(pool: PgPool) {
    let descope = StandIn::start().await;
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let redis = testing::redis();
    let database = Database::new(options.host("127.0.0.1").port(network.port()));
    let app = app(&database, &descope.url(), &redis, Throttle::new(redis.clone(), true));
    let client = Client::within(auth::router(app), database, DEADLINE);
    let body = json!({ "refresh_token": "worthless" });
    for _ in 0..60 {
        assert_eq!(client.post("/api/auth/token/refresh/", &body).await.status, 401);
    }
    network.set(Broken::Stopped);
    for path in ["token/refresh", "logout"] {
        refused(&client.post(&format!("/api/auth/{path}/"), &body).await, 60);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn codes_go_only_to_mobile_numbers_of_the_listed_countries(pool: PgPool) {
    let descope = StandIn::start().await;
    let (redis, database) = (testing::redis(), Database::from(pool));
    let mut app = app(&database, &descope.url(), &redis, Throttle::new(redis.clone(), true));
    app.messages.countries = auth::Countries::default();
    let client = Client::within(auth::router(app), database, DEADLINE);
    let sentence = "Codes cannot be sent to this number.";
    for (path, field) in
        [("phone/request-otp", "phone_number"), ("phone/resend-otp", "phone_number"), ("otp/request", "identifier")]
    {
        let refused = client.post(&format!("/api/auth/{path}/"), &json!({ field: "+447700900123" })).await;
        assert_eq!(failure(&refused), (400, "VALIDATION_ERROR"), "{path}");
        assert_eq!(
            (&refused.body["message"], &refused.body["details"]),
            (&json!(sentence), &json!({ field: [sentence] }))
        );
    }
    assert_eq!(descope.all_calls().len(), 0);
    let body = json!({ "phone_number": "+919876543210" });
    assert_eq!(client.post("/api/auth/phone/request-otp/", &body).await.status, 200);
    assert_eq!(client.post("/api/auth/otp/request/", &json!({ "identifier": EMAIL })).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn all_numbers_together_have_a_budget_of_codes_and_addresses_have_none(pool: PgPool) {
    let descope = StandIn::start().await;
    let budget = Limit::new("test-budget", 2, Duration::from_hours(1));
    let client = limited(pool, &descope, &Limits { budget, ..Limits::from_env().unwrap() });
    let ask = async |number: u8| {
        let from = client.at(&format!("198.51.100.{number}"));
        from.post("/api/auth/phone/request-otp/", &json!({ "phone_number": format!("987654321{number}") })).await
    };
    let counts = testing::Counts::start();
    assert_eq!((ask(0).await.status, ask(1).await.status), (200, 200));
    refused(&ask(2).await, 3600);
    let told = [shared::metrics::Count::OtpSent, shared::metrics::Count::OtpBudgetSpent].map(|what| counts.of(what));
    assert_eq!(told, [2, 1], "what raises the alarms");
    assert_eq!(client.post("/api/auth/otp/request/", &json!({ "identifier": EMAIL })).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_person_cannot_lock_another_out(pool: PgPool) {
    let descope = StandIn::start().await;
    let client = limited(pool, &descope, &Limits::from_env().unwrap());
    assert_eq!(client.post("/api/auth/register/", &super::registration(EMAIL)).await.status, 201);
    let login = |password: &str| json!({ "email": EMAIL, "password": password });
    let mut waits = Vec::new();
    // Each network fails once; beyond ten failures it must pause before it tries again.
    for number in 0..14 {
        let from = client.at(&format!("198.51.{number}.1"));
        assert_eq!(from.post("/api/auth/login/", &login("wrong")).await.status, 401);
        let again = from.post("/api/auth/login/", &login(PASSWORD)).await;
        if again.status == 429 {
            refused(&again, 60);
            waits.push(again.header("retry-after").parse::<u64>().unwrap());
        } else {
            assert_eq!(again.status, 200);
        }
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    for address in ["203.0.113.9", "2001:db8::1"] {
        assert_eq!(client.at(address).post("/api/auth/login/", &login(PASSWORD)).await.status, 200, "{address}");
    }
    // Nor by a registration that fails, nor by codes.
    for number in 0..12 {
        let from = client.at(&format!("192.0.2.{number}"));
        from.post("/api/auth/register/", &super::registration(EMAIL)).await;
        from.post("/api/auth/phone/login/", &json!({ "phone_number": "9876543210", "otp_code": "0" })).await;
    }
    let sent = client.post("/api/auth/phone/request-otp/", &json!({ "phone_number": "9876543210" })).await;
    assert_eq!(sent.status, 200);
    let code = descope.inbox("+919876543210")[0].code.clone().unwrap();
    let proof = json!({ "phone_number": "9876543210", "otp_code": code });
    assert_eq!(client.post("/api/auth/phone/login/", &proof).await.status, 200);
    assert_eq!(client.post("/api/auth/login/", &login(PASSWORD)).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_succeeds_or_fails_at_descope_uses_up_no_attempt(pool: PgPool) {
    let descope = StandIn::start().await;
    let client = limited(pool, &descope, &Limits::from_env().unwrap());
    assert_eq!(client.post("/api/auth/register/", &super::registration(EMAIL)).await.status, 201);
    let login = json!({ "email": EMAIL, "password": PASSWORD });
    descope.spoil("/v1/auth/password/signin", Fault::status(500).times(12));
    for _ in 0..12 {
        assert_eq!(client.post("/api/auth/login/", &login).await.status, 502);
    }
    for _ in 0..12 {
        assert_eq!(client.post("/api/auth/login/", &login).await.status, 200);
    }
}

//! The layers around every router: failures, rate limits, request ids, CORS, and malformed requests.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use shared::{
    cache::Cache,
    config::{ORIGIN_SECRET, Pace, Settings},
    database::{Database, MIGRATOR},
    http::Edge,
    redis::Redis,
    throttle::{Limit, Throttle},
};
use sqlx::PgPool;
use testing::{Client, Fault, Network, ORIGIN};

use super::{client, database_through_network, environment, shop};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_read_without_postgres_gets_a_timely_503_and_the_next_one_works(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let (network, options) = database_through_network(&pool).await;
    let client = client(Database::new(options), &redis);
    assert_eq!(client.get("/api/vehicle-types/").await.status, 200);

    for (fault, path) in [(Fault::Stopped, "/api/vehicle-types/1"), (Fault::BlackHole, "/api/vehicle-types/2")] {
        network.set(fault);
        let started = Instant::now();
        let away = client.get(path).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{fault:?} took {:?}", started.elapsed());
        let sentence = "The service is not available at the moment. Please try again shortly.";
        assert_eq!(away.status, 503);
        assert_eq!(
            away.body,
            json!({
                "error": true, "message": sentence, "status_code": 503, "code": "SERVICE_UNAVAILABLE", "details": {},
                "detail": sentence
            })
        );
        assert_eq!(client.get("/api/vehicle-types/").await.status, 200, "what is cached is served");
        network.set(Fault::None);
        assert_eq!(client.get(path).await.status, 200, "the very next request after {fault:?}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_next_read_succeeds_after_a_restart_of_postgres(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let redis = testing::redis();
    let environment = environment(&pool, &redis);
    assert_eq!(client.get("/api/vehicle-types/1").await.status, 200);
    assert_eq!(environment.get("/api/vehicle-types/1").await.status, 200);
    // Closes idle connections, as a restart does.
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(environment.get("/api/vehicle-types/2").await.status, 200);
}

/// A client of a shop that takes so many reads a minute from an address.
async fn limited(pool: PgPool, redis: Redis, reads: u32) -> Client {
    testing::import_catalogue(&pool, &redis).await;
    let database = Database::from(pool);
    let limit = Limit::new("test", reads, Duration::from_mins(1));
    let cache = Cache::new(redis.clone(), database.clone(), Throttle::new(redis, true), limit);
    Client::new(vehicles::router(vehicles::App { cache }), database)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn public_reads_are_rate_limited_by_ip_address(pool: PgPool) {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let redis = testing::redis_at(&url, &testing::random_prefix());
    let client = limited(pool, redis, 3).await;

    for _ in 0..3 {
        assert_eq!(client.get("/api/vehicle-types/").await.status, 200);
    }
    // A caller cannot choose its address by a header.
    let refused = client.with("X-Forwarded-For", "198.51.100.1").get("/api/vehicle-types/").await;
    assert_eq!((refused.status, &refused.body["code"]), (429, &json!("THROTTLED")));
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(client.at("203.0.113.10").get("/api/vehicle-types/").await.status, 200);

    network.set(Fault::Stopped);
    assert_eq!(client.get("/api/vehicle-types/").await.status, 200, "without Redis the request passes");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_read_whose_answer_of_redis_was_lost_is_answered_and_counts_once(pool: PgPool) {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let redis = testing::redis_at(&url, &testing::random_prefix());
    let client = limited(pool, redis, 3).await;
    let status = async || client.get("/api/vehicle-types/").await.status;

    assert_eq!(status().await, 200);
    let before = network.connections();
    network.lose_an_answer();
    assert_eq!(status().await, 200, "the second of three");
    assert_eq!(network.connections(), before + 1, "asked again over a new connection");
    assert_eq!((status().await, status().await), (200, 429), "the third, and one too many");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_many_reads_at_once_as_many_pass_as_the_limit_allows(pool: PgPool) {
    let redis = testing::redis();
    let client = limited(pool, redis, 20).await;

    let answers = join_all((0..50).map(|_| client.get("/api/vehicle-types/"))).await;
    let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(200), with(429)), (20, 30));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn behind_cloudfront_the_viewer_counts_and_only_with_the_origin_s_secret(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let database = Database::from(pool);
    let limit = Limit::new("test", 1, Duration::from_mins(1));
    let cache = Cache::new(redis.clone(), database.clone(), Throttle::new(redis, true), limit);
    let settings = Settings::of(&[(ORIGIN_SECRET, "only-cloudfront-knows-it")], None, Pace::default());
    let client = Client::behind(vehicles::router(vehicles::App { cache }), Edge::new(settings, database));
    let read = async |client: &Client| client.get("/api/vehicle-types/").await.status;

    let cloudfront = client.with("X-Origin-Secret", "only-cloudfront-knows-it");
    let viewer = |address: &str| cloudfront.with("CloudFront-Viewer-Address", address);
    for address in ["198.51.100.1:443", "198.51.100.2:46532", "2001:db8:1:2:3:4:5:6:443", "[2001:db8:1:3::1]:443"] {
        assert_eq!((read(&viewer(address)).await, read(&viewer(address)).await), (200, 429), "{address}");
    }
    assert_eq!(read(&viewer("2001:db8:1:2::7:443")).await, 429, "of the same network");
    // All of these count for the address that the gateway sees.
    assert_eq!(read(&viewer("nowhere")).await, 200);
    assert_eq!(read(&cloudfront).await, 429);
    for secret in ["", "wrong", "only-cloudfront-knows-i", "only-cloudfront-knows-it2"] {
        let forged = client.with("X-Origin-Secret", secret).with("CloudFront-Viewer-Address", "198.51.100.9:1");
        assert_eq!(read(&forged).await, 429, "{secret}");
    }
    let unsigned = client.with("CloudFront-Viewer-Address", "198.51.100.9:1");
    assert_eq!(read(&unsigned).await, 429);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_answer_has_the_gateway_s_request_id_or_a_valid_one_of_the_caller(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let own = client.with("X-Request-Id", "order-7_x").get("/api/vehicle-types/").await;
    assert_eq!(own.header("x-request-id"), "order-7_x");
    let mut seen = vec![];
    for hostile in ["", "a b", "<script>", &"x".repeat(129), "ü"] {
        let answer = client.with("X-Request-Id", hostile).get("/no-such-path").await;
        let id = answer.header("x-request-id").to_owned();
        assert!(id.starts_with("gateway-"), "{hostile}: {id}");
        assert!(!seen.contains(&id));
        seen.push(id);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn only_pages_of_listed_origins_may_call_with_credentials(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let ours = client.with("Origin", ORIGIN).get("/api/vehicle-types/").await;
    assert_eq!(ours.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(ours.header("access-control-allow-credentials"), "true");
    let foreign = client.with("Origin", "https://evil.example").get("/api/vehicle-types/").await;
    assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (200, ""));

    let preflight = client
        .with("Origin", ORIGIN)
        .with("Access-Control-Request-Method", "POST")
        .with("Access-Control-Request-Headers", "content-type,x-guest-id")
        .send("OPTIONS", "/api/vehicle-types/", None)
        .await;
    assert_eq!((preflight.status, preflight.text.as_str()), (200, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(preflight.header("access-control-allow-headers"), "content-type,x-guest-id");
    assert_eq!(preflight.header("access-control-allow-credentials"), "true");
    assert!(preflight.header("vary").contains("origin"), "{}", preflight.header("vary"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_answer_has_the_headers_that_protect_a_browser(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    for path in ["/api/vehicle-types/", "/api/vehicle-brands/", "/api/nothing/"] {
        let answer = client.get(path).await;
        let headers = ["x-content-type-options", "strict-transport-security", "referrer-policy"];
        let headers = headers.map(|name| answer.header(name));
        assert_eq!(headers, ["nosniff", "max-age=31536000", "no-referrer"], "{path} {}", answer.status);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unsupported_method_is_a_405_with_the_allowed_ones(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let refused = client.post("/api/vehicle-types/", &json!({})).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET,HEAD"));
    assert_eq!(refused.body["code"], "METHOD_NOT_ALLOWED");
    assert_eq!(client.send("HEAD", "/api/vehicle-types/", None).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_malformed_request_is_answered_with_html_or_a_5xx(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let long = "x".repeat(70_000);
    let paths = [
        "",
        "/",
        "//",
        "//api//vehicle-types//",
        "/api/vehicle-types/../vehicle-types/",
        "/api/vehicle-types/%00",
        "/api/vehicle-types/\0",
        "/api/vehicle-types/ü ",
        "/api/vehicle-types/1\\2",
        "/api/vehicle-types/?#?",
        "@evil:99999/",
        "/api/vehicle-brands?vehicle_type=\0",
        "/api/vehicle-brands?vehicle_type= \"<>#",
        "/api/vehicle-brands?vehicle_type=%00",
        "/api/vehicle-brands?vehicle_type=%ff%fe&&&=&=&",
        "/api/vehicle-brands?vehicle_type=1&vehicle_type=x",
        "/api/vehicle-brands?vehicle_type=9223372036854775808",
        "/api/vehicle-types?page=9223372036854775807",
        "/api/vehicle-types?page=1000000000&page_size=100",
        &format!("/{long}"),
        &format!("/api/vehicle-types?page=1&x={long}"),
    ];
    let callers = [
        client.clone(),
        client.with("Host", "bad host:99999"),
        client.with("X-Forwarded-Proto", "not a scheme"),
        client.with("If-None-Match", &"\",".repeat(2000)),
        client.with("Accept", "text/html"),
        client.with("Content-Length", "x"),
        client.at("not an address"),
        client.at(""),
    ];
    for path in paths {
        for caller in &callers {
            for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
                let answer = caller.send(method, path, Some("{")).await;
                let start: String = path.chars().take(60).collect();
                assert!(answer.status < 500, "{method} {start}: {answer:?}");
                assert!(!(300..400).contains(&answer.status) || answer.status == 304, "{method} {start}");
                assert!(!answer.header("content-type").contains("html"), "{method} {start}");
            }
        }
    }
    let large = client.send("POST", "/api/vehicle-types/", Some(&long)).await;
    assert_eq!((large.status, &large.body["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
}

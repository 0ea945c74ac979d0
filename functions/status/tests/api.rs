//! Health, documentation and the answer for unknown paths.

use std::time::Duration;

use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    metrics::Count,
    throttle::{Limit, Throttle},
};
use sqlx::PgPool;
use testing::{Client, Counts, Fault, Network};

fn client(database: Database, redis_url: &str) -> Client {
    client_with(database, redis_url, None)
}

fn client_with(database: Database, redis_url: &str, example: Option<&str>) -> Client {
    let redis = testing::redis_at(redis_url, &testing::random_prefix());
    let throttle = Throttle::new(redis.clone(), true);
    let checks_per_address = Limit::new("test", 10, Duration::from_mins(1));
    Client::new(
        status::router(status::App {
            database: database.clone(),
            redis,
            throttle,
            checks_per_address,
            example: example.map(str::to_owned),
        }),
        database,
    )
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn checks_of_readiness_are_limited_by_ip_address(pool: PgPool) {
    let client = client(Database::from(pool), &testing::redis_url());
    for _ in 0..10 {
        assert_eq!(client.get("/ready/").await.status, 200);
    }
    assert_eq!(client.get("/ready/").await.status, 429);
    assert_eq!(client.get("/health/").await.status, 200, "which asks nothing");
    assert_eq!(client.at("198.51.100.1").get("/ready/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn health_and_readiness_report_the_state_of_postgres_and_redis(pool: PgPool) {
    let options = (*pool.connect_options()).clone();
    let postgres = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let (redis, url) = Network::to_url(&testing::redis_url()).await;
    let client = client(Database::new(options.host("127.0.0.1").port(postgres.port())), &url);
    let live = json!({ "error": false, "message": "The process answers", "data": { "status": "ok" } });
    let ready = |redis: &str| json!({ "error": false, "message": "The service is ready", "data": { "database": "ok", "redis": redis } });
    for path in ["/health", "/health/"] {
        assert_eq!(client.get(path).await.body, live);
    }
    for path in ["/ready", "/ready/"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.body), (200, ready("ok")));
    }
    redis.set(Fault::Stopped);
    let answer = client.get("/ready/").await;
    assert_eq!((answer.status, answer.body), (200, ready("unavailable")));

    postgres.set(Fault::Stopped);
    let answer = client.get("/ready/").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.body,
        json!({
            "error": true, "message": "The database does not answer.", "status_code": 503,
            "code": "SERVICE_UNAVAILABLE", "detail": "The database does not answer.",
            "details": { "database": "unavailable", "redis": "unavailable" }
        })
    );
    assert_eq!(client.get("/health/").await.body, live);
    postgres.set(Fault::None);
    assert_eq!(client.get("/ready/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_check_counts_whether_postgres_and_redis_answer(pool: PgPool) {
    let options = (*pool.connect_options()).clone();
    let postgres = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let (redis, url) = Network::to_url(&testing::redis_url()).await;
    let client = client(Database::new(options.host("127.0.0.1").port(postgres.port())), &url);
    let counts = Counts::start();
    client.get("/ready/").await;
    assert_eq!((counts.of(Count::Ready), counts.of(Count::RedisAway)), (1, 0));

    redis.set(Fault::Stopped);
    client.get("/ready/").await;
    assert_eq!(counts.of(Count::Ready), 2, "everything works without Redis");
    // The rate limit and the check itself.
    assert_eq!(counts.of(Count::RedisAway), 2);

    postgres.set(Fault::Stopped);
    client.get("/ready/").await;
    assert_eq!(counts.of(Count::Ready), 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unknown_path_is_a_404_in_json(pool: PgPool) {
    let client = client(Database::from(pool), &testing::redis_url());
    for path in ["/favicon.ico", "/api", "/api/nothing/", "/admin", "/api/docs/../../etc/passwd", "/api/docs/x"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = client.send(method, path, None).await;
            let expected = if path == "/api/docs/x" && method != "GET" { 405 } else { 404 };
            assert_eq!(answer.status, expected, "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.body["error"], true);
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_documentation_loads_nothing_from_other_hosts(pool: PgPool) {
    let client = client(Database::from(pool), &testing::redis_url());
    let schema = client.get("/api/schema/").await;
    assert_eq!(schema.body["openapi"], "3.1.0");
    let again = client.with("If-None-Match", schema.header("etag")).get("/api/schema").await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));

    for path in ["/api/docs", "/api/docs/"] {
        let page = client.get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
        assert!(page.text.contains("<base href=\"/api/docs/\">"));
        assert!(!page.text.contains("//unpkg") && !page.text.contains("https://"), "{}", page.text);
        assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    }
    let page = client.get("/api/docs/").await.text;
    let files: Vec<&str> = page.split("./").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(client.get(&format!("/api/docs/{file}")).await.status, 200, "{file}");
    }
    let initializer = client.get("/api/docs/swagger-initializer.js").await;
    assert!(initializer.text.contains("/api/schema/"), "{}", initializer.text);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_first_page_leads_browsers_and_programs_to_what_is_here(pool: PgPool) {
    let database = Database::from(pool);
    let local = client_with(database.clone(), &testing::redis_url(), Some("http://localhost:8000/example/"));
    let deployed = client(database, &testing::redis_url());
    let links = |example: Option<&str>| {
        let mut links =
            json!({ "docs": "/api/docs/", "schema": "/api/schema/", "panel": "/admin/", "ready": "/ready/" });
        if let Some(example) = example {
            links["example"] = json!(example);
        }
        json!({ "error": false, "message": "The API of RepairMyBike", "data": links })
    };
    let answer = deployed.get("/").await;
    assert_eq!((answer.status, &answer.body), (200, &links(None)));
    assert_eq!(local.get("/").await.body, links(Some("http://localhost:8000/example/")));

    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = deployed.with("Accept", browser).get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in ["/api/docs/", "/api/schema/", "/admin/", "/ready/"] {
        assert!(page.text.contains(&format!("<a href=\"{path}\">")), "{path}");
    }
    assert!(!page.text.contains("Book a repair") && !page.text.contains("//"), "{}", page.text);
    assert!(page.header("vary").contains("accept"), "{}", page.header("vary"));
    let page = local.with("Accept", browser).get("/").await;
    assert!(page.text.contains("<a href=\"http://localhost:8000/example/\"><strong>Book a repair"), "{}", page.text);
    for path in ["/api/docs/", "/api/schema/"] {
        assert_eq!(deployed.get(path).await.status, 200, "{path}");
    }
    for method in ["POST", "DELETE"] {
        assert_eq!(deployed.send(method, "/", None).await.status, 405, "{method}");
    }
}

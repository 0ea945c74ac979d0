//! The vehicle catalogue as a frontend sees it, and the cache and the outer layers that all of the catalogue shares.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use shared::{
    cache::{self, Cache},
    database::{Database, MIGRATOR},
    redis::Redis,
    testing::{self, Client, Fault, Network, ORIGIN, eventually, timeless},
    throttle::{Limit, Throttle},
};
use sqlx::{PgPool, postgres::PgConnectOptions};

fn client(database: Database, redis: &Redis) -> Client {
    let throttle = testing::no_throttle(redis);
    let cache = Cache::new(redis.clone(), database.clone(), throttle, Limit::public_reads().unwrap());
    Client::new(vehicles::router(vehicles::App { cache }), database)
}

/// A caller of a function that has its own connection, as each Lambda environment has.
fn environment(pool: &PgPool, redis: &Redis) -> Client {
    client(Database::new((*pool.connect_options()).clone()), redis)
}

async fn shop(pool: &PgPool) -> (Client, Redis) {
    let redis = testing::redis();
    testing::import_catalogue(pool, &redis).await;
    (client(Database::from(pool.clone()), &redis), redis)
}

/// The database behind a network that can break.
async fn database_through_network(pool: &PgPool) -> (Network, PgConnectOptions) {
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let options = options.host("127.0.0.1").port(network.port());
    (network, options)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn types_are_listed_and_shown(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let scooter = json!({
        "id": 1, "name": "Scooter", "image": null, "created_at": "<moment>", "updated_at": "<moment>"
    });
    let list = client.get("/api/vehicle-types/").await;
    assert_eq!(list.status, 200);
    assert_eq!(
        timeless(list.body),
        json!({ "error": false, "message": "Vehicle types retrieved successfully", "data": [scooter, {
            "id": 2, "name": "Motorcycle", "image": null, "created_at": "<moment>", "updated_at": "<moment>"
        }] })
    );
    assert_eq!(
        timeless(client.get("/api/vehicle-types/1/").await.body),
        json!({ "error": false, "message": "Vehicle type retrieved successfully", "data": scooter })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn brands_and_models_are_those_of_their_parent(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let brands = timeless(client.get("/api/vehicle-brands/?vehicle_type=1").await.body);
    assert_eq!(brands["message"], "Vehicle brands retrieved successfully");
    let honda = json!({
        "id": 2, "vehicle_type": 1, "vehicle_type_name": "Scooter", "name": "Honda", "image": null,
        "created_at": "<moment>", "updated_at": "<moment>"
    });
    assert_eq!(brands["data"][1], honda);
    assert_eq!(timeless(client.get("/api/vehicle-brands/2").await.body)["data"], honda);

    let models = timeless(client.get("/api/vehicle-models/?vehicle_brand=2").await.body);
    assert_eq!(models["message"], "Vehicle models retrieved successfully");
    let activa = json!({
        "id": 7, "vehicle_brand": 2, "brand_name": "Honda", "vehicle_type_name": "Scooter", "name": "Activa 6G",
        "image": null, "created_at": "<moment>", "updated_at": "<moment>"
    });
    assert_eq!(models["data"][0], activa);
    assert_eq!(timeless(client.get("/api/vehicle-models/7/").await.body)["data"], activa);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_filter_is_needed_and_an_unknown_parent_has_nothing(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let missing = client.get("/api/vehicle-brands/").await;
    assert_eq!(missing.status, 400);
    assert_eq!(
        missing.body,
        json!({
            "error": true, "message": "Invalid input: vehicle_type.", "status_code": 400, "code": "VALIDATION_ERROR",
            "details": { "vehicle_type": ["This field is required."] }, "detail": "Invalid input: vehicle_type."
        })
    );
    let both = client.get("/api/vehicle-brands/?page=0").await;
    assert_eq!(
        both.body["details"],
        json!({
            "page": ["Ensure this value is greater than or equal to 1."], "vehicle_type": ["This field is required."]
        })
    );
    let wrong = client.get("/api/vehicle-models/?vehicle_brand=x").await;
    assert_eq!(wrong.body["details"], json!({ "vehicle_brand": ["A valid integer is required."] }));
    for path in ["/api/vehicle-brands/?vehicle_type=999", "/api/vehicle-models/?vehicle_brand=999"] {
        let empty = client.get(path).await;
        assert_eq!((empty.status, &empty.body["data"]), (200, &json!([])), "{path}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_does_not_exist_is_a_404_in_json(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    for (path, name) in [
        ("/api/vehicle-types/999", "Vehicle type"),
        ("/api/vehicle-brands/999/", "Vehicle brand"),
        ("/api/vehicle-models/-1/", "Vehicle model"),
        ("/api/vehicle-models/x/", "Page"),
        ("/api/vehicle-models/99999999999999999999/", "Page"),
        ("/api/vehicle-models/7/x", "Page"),
        ("/api/vehicles/", "Page"),
    ] {
        let answer = client.get(path).await;
        let sentence = format!("{name} not found.");
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.body,
            json!({
                "error": true, "message": sentence, "status_code": 404, "code": "NOT_FOUND", "details": {},
                "detail": sentence
            }),
            "{path}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_path_answers_at_its_old_place_and_with_and_without_slash(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    for (path, query) in [
        ("vehicle-types", ""),
        ("vehicle-types/1", ""),
        ("vehicle-brands", "?vehicle_type=1"),
        ("vehicle-brands/2", ""),
        ("vehicle-models", "?vehicle_brand=2"),
        ("vehicle-models/7", ""),
    ] {
        let first = client.get(&format!("/api/{path}/{query}")).await;
        assert_eq!(first.status, 200, "{path}");
        for other in [
            format!("/api/{path}{query}"),
            format!("/api/vehicles/{path}/{query}"),
            format!("/api/vehicles/{path}{query}"),
        ] {
            let other = client.get(&other).await;
            assert_eq!((other.status, other.text), (200, first.text.clone()), "{path}");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_is_paged_on_request(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let whole = client.get("/api/vehicle-brands/?vehicle_type=1").await.body;
    let brands = whole["data"].as_array().unwrap().clone();
    assert_eq!(whole.get("count"), None);

    let page = client.get("/api/vehicle-brands/?vehicle_type=1&page=2&page_size=5").await.body;
    assert_eq!(page["data"], json!(brands[5..10]));
    assert_eq!(page["count"], brands.len());
    assert_eq!(page["next"], "/api/vehicle-brands/?vehicle_type=1&page=3&page_size=5");
    assert_eq!(page["previous"], "/api/vehicle-brands/?vehicle_type=1&page=1&page_size=5");

    let first = client.get("/api/vehicles/vehicle-types?page=1").await.body;
    assert_eq!((&first["next"], &first["previous"], &first["count"]), (&Value::Null, &Value::Null, &json!(2)));
    let beyond = client.get("/api/vehicle-types/?page=9&page_size=1").await.body;
    assert_eq!((&beyond["data"], &beyond["next"]), (&json!([]), &Value::Null));
    assert_eq!(beyond["previous"], "/api/vehicle-types/?page=2&page_size=1");

    for (query, field) in
        [("page=0", "page"), ("page=x", "page"), ("page_size=0", "page_size"), ("page_size=101", "page_size")]
    {
        let refused = client.get(&format!("/api/vehicle-types/?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.body["details"].get(field).is_some(), "{query}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whoever_holds_the_bytes_is_not_sent_them_again(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let first = client.get("/api/vehicle-types/").await;
    let tag = first.header("etag");
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
    assert_eq!(first.header("cache-control"), "public, max-age=60, stale-while-revalidate=600");
    for held in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = client.with("If-None-Match", &held).get("/api/vehicle-types/").await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{held}");
        assert_eq!(again.header("etag"), tag);
    }
    assert_eq!(client.with("If-None-Match", "\"other\"").get("/api/vehicle-types/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_warm_read_is_one_round_trip_to_redis_and_none_to_postgres(pool: PgPool) {
    testing::import_catalogue(&pool, &testing::redis()).await;
    let (redis_network, url) = Network::to_url(&testing::redis_url()).await;
    let redis = testing::redis_at(&url, &testing::random_prefix());
    let (database_network, options) = database_through_network(&pool).await;
    let database = Database::new(options);
    let throttle = Throttle::new(redis.clone(), true);
    let cache = Cache::new(redis, database.clone(), throttle, Limit::public_reads().unwrap());
    let client = Client::new(vehicles::router(vehicles::App { cache }), database);
    let cold = client.get("/api/vehicle-models/?vehicle_brand=2").await;

    let before = (redis_network.requests(), database_network.requests());
    let warm = client.get("/api/vehicle-models/?vehicle_brand=2").await;
    assert_eq!((redis_network.requests(), database_network.requests()), (before.0 + 1, before.1));
    assert_eq!(warm.text, cold.text);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_cold_key_is_loaded_once_however_many_ask(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let (network, options) = database_through_network(&pool).await;
    let environments: Vec<Client> = (0..30).map(|_| client(Database::new(options.clone()), &redis)).collect();
    let answers = join_all(environments.iter().map(|client| client.get("/api/vehicle-types/"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text));
    assert_eq!(network.connections(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nobody_waits_for_what_is_not_there(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let environments: Vec<Client> = (0..10).map(|_| environment(&pool, &redis)).collect();
    join_all(environments.iter().map(|client| client.get("/api/vehicle-types/1"))).await;
    let started = Instant::now();
    let answers = join_all(environments.iter().map(|client| client.get("/api/vehicle-types/999"))).await;
    assert!(answers.iter().all(|answer| answer.status == 404));
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_restart_of_postgres_is_not_noticed_by_the_next_read(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let redis = testing::redis();
    let environment = environment(&pool, &redis);
    assert_eq!(client.get("/api/vehicle-types/1").await.status, 200);
    assert_eq!(environment.get("/api/vehicle-types/1").await.status, 200);
    // What a restart does to the connections that rest.
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(environment.get("/api/vehicle-types/2").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_empty_list_is_cached_too(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let (network, options) = database_through_network(&pool).await;
    let client = client(Database::new(options), &redis);
    let path = "/api/vehicle-models/?vehicle_brand=999";
    assert_eq!(client.get(path).await.body["data"], json!([]));
    let before = network.requests();
    assert_eq!(client.get(path).await.body["data"], json!([]));
    assert_eq!(network.requests(), before);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_is_visible_at_the_next_request_in_every_environment(pool: PgPool) {
    let redis = testing::redis();
    let mut files = testing::catalogue_files();
    testing::import(&files, &pool, &redis).await;
    let environments: Vec<Client> = (0..3).map(|_| environment(&pool, &redis)).collect();
    let path = "/api/vehicle-types/1/";
    for client in &environments {
        assert_eq!(client.get(path).await.body["data"]["name"], "Scooter");
    }
    let renamed = files["vehicle_types.csv"].replace("1,Scooter", "1,Moped");
    files.insert("vehicle_types.csv".to_owned(), renamed);
    testing::import(&files, &pool, &redis).await;
    for client in &environments {
        assert_eq!(client.get(path).await.body["data"]["name"], "Moped");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nothing_old_is_served_or_kept_while_a_change_is_being_committed(pool: PgPool) {
    let (client, redis) = shop(&pool).await;
    let path = "/api/vehicle-types/1/";
    let name = async || client.get(path).await.body["data"]["name"].clone();
    assert_eq!(name().await, "Scooter");

    cache::announce_change(&redis).await.unwrap();
    // Read while the change is announced but not committed: this must not stay.
    assert_eq!(name().await, "Scooter");
    sqlx::query("update vehicle_types set name = 'Moped' where id = 1").execute(&pool).await.unwrap();
    // Committed, but whoever did it dies before telling Redis the new version.
    assert_eq!(name().await, "Moped");
    let version = sqlx::query_scalar::<_, i64>("update catalogue_versions set version = version + 1 returning version");
    cache::publish_change(&redis, version.fetch_one(&pool).await.unwrap()).await.unwrap();
    assert_eq!(name().await, "Moped");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn answers_keep_coming_without_redis_and_the_cache_comes_back_by_itself(pool: PgPool) {
    testing::import_catalogue(&pool, &testing::redis()).await;
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let redis = testing::redis_at(&url, &testing::random_prefix());
    let (database_network, options) = database_through_network(&pool).await;
    let client = client(Database::new(options), &redis);
    let whole = client.get("/api/vehicle-types/").await;

    for fault in [Fault::Stopped, Fault::Slow(Duration::from_secs(30)), Fault::BlackHole] {
        network.set(fault);
        for _ in 0..3 {
            let started = Instant::now();
            let answer = client.get("/api/vehicle-types/").await;
            assert_eq!((answer.status, &answer.text), (200, &whole.text), "{fault:?}");
            assert!(started.elapsed() < Duration::from_millis(1500), "{fault:?} took {:?}", started.elapsed());
        }
        // A black-holed connection never ends by itself: a new one has to be made.
        network.set(Fault::None);
        eventually("the cache is used again", async || {
            let before = database_network.requests();
            assert_eq!(client.get("/api/vehicle-types/").await.text, whole.text);
            database_network.requests() == before
        })
        .await;
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_postgres_the_answer_is_503_in_time_and_with_it_all_is_well_again(pool: PgPool) {
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
async fn public_reads_are_limited_by_address(pool: PgPool) {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let redis = testing::redis_at(&url, &testing::random_prefix());
    testing::import_catalogue(&pool, &redis).await;
    let database = Database::from(pool);
    let limit = Limit::new("test", 3, Duration::from_mins(1));
    let cache = Cache::new(redis.clone(), database.clone(), Throttle::new(redis, true), limit);
    let client = Client::new(vehicles::router(vehicles::App { cache }), database);

    for _ in 0..3 {
        assert_eq!(client.get("/api/vehicle-types/").await.status, 200);
    }
    // What a caller says of its own address does not count.
    let refused = client.with("X-Forwarded-For", "198.51.100.1").get("/api/vehicle-types/").await;
    assert_eq!((refused.status, &refused.body["code"]), (429, &json!("THROTTLED")));
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(client.at("203.0.113.10").get("/api/vehicle-types/").await.status, 200);

    network.set(Fault::Stopped);
    assert_eq!(client.get("/api/vehicle-types/").await.status, 200, "without Redis the request passes");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_answer_has_a_request_id_and_keeps_a_sane_one(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let own = client.with("X-Request-Id", "order-7_x").get("/api/vehicle-types/").await;
    assert_eq!(own.header("x-request-id"), "order-7_x");
    let mut seen = vec![];
    for hostile in ["", "a b", "<script>", &"x".repeat(129), "ü"] {
        let answer = client.with("X-Request-Id", hostile).get("/no-such-path").await;
        let id = answer.header("x-request-id").to_owned();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hostile}: {id}");
        assert!(!seen.contains(&id));
        seen.push(id);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pages_of_listed_origins_may_call_with_credentials_and_no_others(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let ours = client.with("Origin", ORIGIN).get("/api/vehicle-types/").await;
    assert_eq!(ours.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(ours.header("access-control-allow-credentials"), "true");
    let foreign = client.with("Origin", "https://evil.example").get("/api/vehicle-types/").await;
    assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (200, ""));

    let preflight = client
        .with("Origin", ORIGIN)
        .with("Access-Control-Request-Method", "POST")
        .with("Access-Control-Request-Headers", "content-type,idempotency-key")
        .send("OPTIONS", "/api/vehicle-types/", None)
        .await;
    assert_eq!((preflight.status, preflight.text.as_str()), (200, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
    assert!(preflight.header("access-control-allow-headers").contains("idempotency-key"));
    assert_eq!(preflight.header("vary"), "origin");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn another_method_is_a_405_that_tells_the_right_ones(pool: PgPool) {
    let (client, _) = shop(&pool).await;
    let refused = client.post("/api/vehicle-types/", &json!({})).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET,HEAD"));
    assert_eq!(refused.body["code"], "METHOD_NOT_ALLOWED");
    assert_eq!(client.send("HEAD", "/api/vehicle-types/", None).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_request_is_answered_with_html_or_a_failure_of_ours(pool: PgPool) {
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

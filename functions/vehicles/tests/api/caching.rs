//! The read-through cache: one round trip when warm, no stale reads, and answers without Redis.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use shared::{
    cache::{self, Cache},
    catalogue,
    database::{Database, MIGRATOR},
    throttle::{Limit, Throttle},
};
use sqlx::PgPool;
use testing::{Client, Fault, Network, eventually};

use super::{client, database_through_network, environment, shop};

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
async fn concurrent_reads_of_a_cold_key_load_it_once(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let (network, options) = database_through_network(&pool).await;
    let environments: Vec<Client> = (0..30).map(|_| client(Database::new(options.clone()), &redis)).collect();
    let answers = join_all(environments.iter().map(|client| client.get("/api/vehicle-types/"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text));
    assert_eq!(network.connections(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_reads_of_a_missing_item_do_not_wait(pool: PgPool) {
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
async fn an_empty_list_is_cached_too(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let (network, options) = database_through_network(&pool).await;
    let client = client(Database::new(options), &redis);
    let brand = "insert into vehicle_brands (vehicle_type_id, name) values (1, 'Of no model') returning id";
    let brand: i64 = sqlx::query_scalar(brand).fetch_one(&pool).await.unwrap();
    let path = &format!("/api/vehicle-models/?vehicle_brand={brand}");
    assert_eq!(client.get(path).await.body["data"], json!([]));
    let before = network.requests();
    assert_eq!(client.get(path).await.body["data"], json!([]));
    assert_eq!(network.requests(), before);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_does_not_exist_leaves_nothing_in_redis(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let client = client(Database::from(pool), &redis);
    for number in 900..920 {
        for path in ["vehicle-models/?vehicle_brand=", "vehicle-brands/?vehicle_type=", "vehicle-models/"] {
            let answer = client.get(&format!("/api/{path}{number}")).await;
            assert!(answer.status == 404 || answer.body["data"] == json!([]), "{path}{number}: {}", answer.text);
        }
    }
    let mut commands = redis::Pipeline::new();
    commands.cmd("KEYS").arg(redis.key(["*"]));
    let (keys,): (Vec<String>,) = redis.run(&commands).await.unwrap();
    assert_eq!(keys, [redis.key(["catalogue:version"])]);
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
async fn a_recreated_database_serves_no_entry_cached_before(pool: PgPool) {
    let (client, redis) = shop(&pool).await;
    let path = "/api/vehicle-types/1/";
    assert_eq!(client.get(path).await.body["data"]["name"], "Scooter");

    sqlx::query("update catalogue_versions set version = 1").execute(&pool).await.unwrap();
    let mut files = testing::catalogue_files();
    let renamed = files["vehicle_types.csv"].replace("1,Scooter", "1,Moped");
    files.insert("vehicle_types.csv".to_owned(), renamed);
    testing::import(&files, &pool, &redis).await;
    assert_eq!(client.get(path).await.body["data"]["name"], "Moped");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_restored_database_shows_its_own_catalogue_once_its_version_is_published(pool: PgPool) {
    let (client, redis) = shop(&pool).await;
    let path = "/api/vehicle-types/1/";
    assert_eq!(client.get(path).await.body["data"]["name"], "Scooter");

    let older =
        "update vehicle_types set name = 'Moped' where id = 1; update catalogue_versions set version = version - 1";
    sqlx::raw_sql(older).execute(&pool).await.unwrap();
    catalogue::publish(&Database::from(pool.clone()), &redis).await.unwrap();
    assert_eq!(client.get(path).await.body["data"]["name"], "Moped");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_stale_entry_is_served_or_cached_while_a_change_is_committed(pool: PgPool) {
    let (client, redis) = shop(&pool).await;
    let path = "/api/vehicle-types/1/";
    let name = async || client.get(path).await.body["data"]["name"].clone();
    assert_eq!(name().await, "Scooter");

    cache::announce_change(&redis).await.unwrap();
    // Read while the change is announced but not committed: the result must not be cached.
    assert_eq!(name().await, "Scooter");
    sqlx::query("update vehicle_types set name = 'Moped' where id = 1").execute(&pool).await.unwrap();
    // Committed, but the import dies before it publishes the new version.
    assert_eq!(name().await, "Moped");
    let version = sqlx::query_scalar::<_, i64>("update catalogue_versions set version = version + 1 returning version");
    cache::publish_change(&redis, version.fetch_one(&pool).await.unwrap()).await.unwrap();
    assert_eq!(name().await, "Moped");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn reads_succeed_without_redis_and_the_cache_recovers_by_itself(pool: PgPool) {
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
async fn a_request_with_a_matching_etag_gets_a_304(pool: PgPool) {
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

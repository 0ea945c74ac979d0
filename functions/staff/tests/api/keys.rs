//! The rate limit on wrong keys: after 20 in ten minutes no key from that IP address is checked.

use futures::future::join_all;
use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    redis::Redis,
    throttle::Throttle,
};
use sqlx::PgPool;
use testing::{Client, Network, STAFF_KEY};

use super::client;

fn limited(pool: &PgPool, redis: Redis) -> Client {
    let database = Database::from(pool.clone());
    client(database.clone(), testing::no_sessions(&database), &Throttle::new(redis, true))
}

const LIST: &str = "/api/staff/bookings/";

#[sqlx::test(migrator = "MIGRATOR")]
async fn after_20_wrong_keys_an_ip_address_is_throttled_even_with_a_valid_one(pool: PgPool) {
    let client = limited(&pool, testing::redis());
    let (desk, guesser) = (client.with("X-API-Key", STAFF_KEY), client.with("X-API-Key", "guess"));
    for _ in 0..25 {
        assert_eq!(desk.get(LIST).await.status, 200, "a right key is not counted");
        assert_eq!(client.get(LIST).await.status, 403, "nor is none");
    }
    for turn in 0..20 {
        let answer = client.with("X-API-Key", &format!("guess {turn}")).get(LIST).await;
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("API_KEY_INVALID")));
    }
    for caller in [&guesser, &desk] {
        let refused = caller.get(LIST).await;
        assert_eq!((refused.status, &refused.body["code"]), (429, &json!("THROTTLED")));
        let seconds: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=600).contains(&seconds), "{seconds}");
    }
    // A request without a key is no guess, and another IP address has its own limit.
    assert_eq!(client.get(LIST).await.status, 403);
    assert_eq!(desk.at("198.51.100.1").get(LIST).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_guesses_are_each_counted(pool: PgPool) {
    let client = limited(&pool, testing::redis());
    let desk = client.with("X-API-Key", STAFF_KEY);
    let right = join_all((0..50).map(|_| desk.get(LIST))).await;
    assert!(right.iter().all(|answer| answer.status == 200));
    let guessers: Vec<Client> = (0..50).map(|turn| client.with("X-API-Key", &format!("guess {turn}"))).collect();
    let answers = join_all(guessers.iter().map(|guesser| guesser.get(LIST))).await;
    let refused = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((refused(403), refused(429)), (20, 30));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_redis_keys_are_still_checked(pool: PgPool) {
    let client = limited(&pool, testing::redis_at("redis://127.0.0.1:9", "none:"));
    let guesser = client.with("X-API-Key", "guess");
    for _ in 0..25 {
        assert_eq!(guesser.get(LIST).await.status, 403);
    }
    assert_eq!(client.with("X-API-Key", STAFF_KEY).get(LIST).await.status, 200);
}

/// A client whose requests reach Postgres through a network of their own.
async fn through_a_network(pool: &PgPool) -> (Network, Client) {
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let database = Database::new(options.host("127.0.0.1").port(network.port()));
    let client = client(database.clone(), testing::no_sessions(&database), &Throttle::new(testing::redis(), true));
    (network, client)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_many_guesses_at_once_no_more_than_the_limit_reach_postgres(pool: PgPool) {
    let (network, client) = through_a_network(&pool).await;
    let elsewhere = client.at("198.51.100.1").with("X-API-Key", "guess");
    // Connects, and prepares the query.
    assert_eq!(elsewhere.get(LIST).await.status, 403);
    let before = network.requests();
    assert_eq!(elsewhere.get(LIST).await.status, 403);
    let pieces = network.requests() - before;
    for (address, is_one_key) in [("198.51.100.2", false), ("198.51.100.3", true)] {
        let guessers: Vec<Client> = (0..100)
            .map(|turn| if is_one_key { "guess".to_owned() } else { format!("guess {turn}") })
            .map(|key| client.at(address).with("X-API-Key", &key))
            .collect();
        let before = network.requests();
        let answers = join_all(guessers.iter().map(|guesser| guesser.get(LIST))).await;
        let refused = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((refused(403), refused(429)), (20, 80), "{address}");
        assert!(network.requests() - before <= 20 * pieces, "{address}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_of_the_database_is_counted_only_after_it_has_ended(pool: PgPool) {
    let client = limited(&pool, testing::redis());
    let added =
        sqlx::query("insert into staff_keys (label, key_sha256) values ('desk', sha256('key-in-the-database'))");
    added.execute(&pool).await.unwrap();
    let desk = client.with("X-API-Key", "key-in-the-database");
    assert_eq!(desk.get(LIST).await.status, 200);
    let right = join_all((0..50).map(|_| desk.get(LIST))).await;
    assert!(right.iter().all(|answer| answer.status == 200), "many at once");
    sqlx::query("update staff_keys set revoked_at = now()").execute(&pool).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..21 {
        statuses.push(desk.get(LIST).await.status);
    }
    assert_eq!(statuses, [vec![403; 20], vec![429]].concat());
}

//! The rate limit on wrong keys: after 20 in ten minutes no key from that IP address is checked.

use futures::future::join_all;
use serde_json::json;
use shared::{
    database::{Database, MIGRATOR},
    redis::Redis,
    throttle::Throttle,
};
use sqlx::PgPool;
use testing::{Client, STAFF_KEY};

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

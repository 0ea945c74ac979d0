//! Rotation of the Redis password while it is in use, failover, and TLS.

use std::sync::Arc;

use redis::Pipeline;
use serde_json::json;
use shared::{
    config::{REDIS_SECRET_ID, REDIS_URL, Settings},
    redis::Redis as Client,
};
use testing::{Fault, Network};
use tokio::sync::Barrier;

use crate::{
    servers::{Aws, Door, QUICK, Redis},
    tls::Tls,
};

async fn answers(client: &Client) -> Result<(), String> {
    let mut commands = Pipeline::new();
    commands.cmd("PING").ignore();
    client.run::<()>(&commands).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn no_command_fails_when_the_password_changes() {
    let (aws, server) = (Aws::start().await, Redis::start().await);
    aws.put("redis", json!({ "password": "old" })).await;
    let (url, id) = (format!("redis://127.0.0.1:{}", server.port), aws.id("redis"));
    let settings = aws.settings(&[(REDIS_URL, url.as_str()), (REDIS_SECRET_ID, &id)], QUICK).await;
    let client = Client::from_settings(&settings).unwrap();
    assert_eq!(answers(&client).await, Ok(()));
    for (old, new) in [("old", "new: é%41@/"), ("new: é%41@/", "newest")] {
        server.change_password(old, new).await;
        aws.put("redis", json!({ "password": new })).await;
        assert_eq!(answers(&client).await, Ok(()), "{new}");
    }
}

#[tokio::test]
async fn a_connection_is_opened_while_its_password_is_read_and_serves_until_that_changes() {
    let (aws, server) = (Aws::start().await, Redis::start().await);
    aws.put("redis", json!({ "password": "old" })).await;
    let (network, url) = Network::to_url(&format!("redis://127.0.0.1:{}", server.port)).await;
    let both = Arc::new(Barrier::new(2));
    let aws_config = aws.config_by(Door::ForTogether(Arc::clone(&both))).await;
    let settings = Settings::of(&[(REDIS_URL, &url), (REDIS_SECRET_ID, &aws.id("redis"))], Some(aws_config), QUICK);
    let client = Client::from_settings(&settings).unwrap();
    client.open_early(&settings);
    testing::eventually("Redis is connected to", async || network.connections() == 1).await;
    // Only now is the secret told.
    let (answer, _) = tokio::join!(answers(&client), both.wait());
    assert_eq!((answer, network.connections()), (Ok(()), 1));
    // Reading the new secret takes both again.
    server.change_password("old", "new").await;
    aws.put("redis", json!({ "password": "new" })).await;
    let (answer, _) = tokio::join!(answers(&client), both.wait());
    assert_eq!(answer, Ok(()));
}

#[tokio::test]
async fn an_early_connection_that_hangs_is_given_up() {
    let (aws, server) = (Aws::start().await, Redis::start().await);
    aws.put("redis", json!({ "password": "old" })).await;
    let (network, url) = Network::to_url(&format!("redis://127.0.0.1:{}", server.port)).await;
    network.set(Fault::BlackHole);
    let settings = aws.settings(&[(REDIS_URL, &url), (REDIS_SECRET_ID, &aws.id("redis"))], QUICK).await;
    let client = Client::from_settings(&settings).unwrap();
    client.open_early(&settings);
    testing::eventually("Redis is connected to", async || network.connections() == 1).await;
    // The first command waits for it, and then connects once more.
    assert_ne!(answers(&client).await, Ok(()));
    assert_eq!(network.connections(), 2);
    network.set(Fault::None);
    testing::eventually("Redis answers", async || answers(&client).await.is_ok()).await;
}

#[tokio::test]
async fn after_a_failover_the_client_reconnects_to_the_new_primary() {
    let (old, new) = (Redis::start().await, Redis::start().await);
    let (network, url) = Network::to_url(&format!("redis://:old@127.0.0.1:{}", old.port)).await;
    let client = Client::new(&url, "").unwrap();
    let writes = async || {
        let mut commands = Pipeline::new();
        commands.cmd("EVAL").arg("return redis.call('INCR', KEYS[1])").arg(1).arg("key").cmd("MGET").arg("key");
        client.run::<(i64, Vec<i64>)>(&commands).await.map_err(|error| error.to_string())
    };
    assert_eq!(writes().await, Ok((1, vec![1])));
    old.run("old", &["REPLICAOF", "127.0.0.1", "1"]).await;
    network.redirect(&format!("127.0.0.1:{}", new.port));
    assert_eq!(writes().await, Ok((1, vec![1])));
}

#[tokio::test]
async fn the_secret_can_name_the_redis_user() {
    let (aws, server) = (Aws::start().await, Redis::start().await);
    server.run("old", &["ACL", "SETUSER", "shop", "on", ">p", "+@all", "~*"]).await;
    aws.put("redis", json!({ "username": "shop", "password": "p" })).await;
    let (url, id) = (format!("redis://127.0.0.1:{}", server.port), aws.id("redis"));
    let settings = aws.settings(&[(REDIS_URL, url.as_str()), (REDIS_SECRET_ID, &id)], QUICK).await;
    assert_eq!(answers(&Client::from_settings(&settings).unwrap()).await, Ok(()));
}

#[tokio::test]
async fn a_password_missing_at_the_start_is_used_once_the_secret_can_be_read() {
    let (aws, server) = (Aws::start().await, Redis::start().await);
    let (url, id) = (format!("redis://127.0.0.1:{}", server.port), aws.id("redis"));
    let settings = aws.settings(&[(REDIS_URL, url.as_str()), (REDIS_SECRET_ID, &id)], QUICK).await;
    let client = Client::from_settings(&settings).unwrap();
    client.open_early(&settings);
    assert!(answers(&client).await.is_err());
    aws.put("redis", json!({ "password": "old" })).await;
    testing::eventually("Redis answers", async || answers(&client).await.is_ok()).await;
}

#[tokio::test]
async fn after_a_refused_password_the_client_pauses_before_it_reconnects() {
    let server = Redis::start().await;
    let (network, url) = Network::to_url(&format!("redis://:wrong@127.0.0.1:{}", server.port)).await;
    let client = Client::new(&url, "").unwrap();
    assert!(answers(&client).await.unwrap_err().contains("authentication failed"), "{:?}", answers(&client).await);
    assert_eq!(answers(&client).await, Err("redis failed a moment ago".to_owned()));
    assert_eq!(network.connections(), 1);
}

#[tokio::test]
async fn redis_is_reached_by_tls_with_a_password() {
    let server = Redis::start().await;
    let tls = Tls::before_redis(server.port).await;
    let url = |host: &str, password: &str| format!("rediss://:{password}@{host}:{}", tls.port);
    let trusting = |url: &str| Client::trusting(&tls.authority, url, "").unwrap();
    assert_eq!(answers(&trusting(&url("localhost", "old"))).await, Ok(()));
    assert!(answers(&trusting(&url("localhost", "wrong"))).await.unwrap_err().contains("authentication failed"));
    let stranger = Client::new(&url("localhost", "old"), "").unwrap();
    assert!(answers(&stranger).await.is_err(), "nobody known signed its certificate");
    assert!(answers(&trusting(&url("127.0.0.1", "old"))).await.is_err(), "it is another's certificate");
}

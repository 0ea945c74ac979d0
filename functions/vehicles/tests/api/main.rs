//! The vehicle catalogue as a frontend sees it, and the cache and outer layers that the catalogue's functions share.
#![expect(clippy::unwrap_used, reason = "test code")]

mod caching;
mod edge;
mod encoding;
mod listing;

use shared::{cache::Cache, database::Database, redis::Redis, throttle::Limit};
use sqlx::{PgPool, postgres::PgConnectOptions};
use testing::{Client, Network};

fn client(database: Database, redis: &Redis) -> Client {
    let throttle = testing::no_throttle(redis);
    let cache = Cache::new(redis.clone(), database.clone(), throttle, Limit::public_reads().unwrap());
    Client::new(vehicles::router(vehicles::App { cache }), database)
}

/// A client of a function with its own connection, as each Lambda environment has.
fn environment(pool: &PgPool, redis: &Redis) -> Client {
    client(Database::new((*pool.connect_options()).clone()), redis)
}

async fn shop(pool: &PgPool) -> (Client, Redis) {
    let redis = testing::redis();
    testing::import_catalogue(pool, &redis).await;
    (client(Database::from(pool.clone()), &redis), redis)
}

/// The database behind a proxy that can fail.
async fn database_through_network(pool: &PgPool) -> (Network, PgConnectOptions) {
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let options = options.host("127.0.0.1").port(network.port());
    (network, options)
}

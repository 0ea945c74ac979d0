//! Runs the `shop` function on AWS Lambda.

use shared::{
    cache::Cache,
    database::Database,
    http, logging,
    redis::Redis,
    throttle::{Limit, Throttle},
};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let database = Database::from_env()?;
    let redis = Redis::from_env()?;
    let throttle = Throttle::from_env(redis.clone());
    let cache = Cache::new(redis, database.clone(), throttle, Limit::public_reads()?);
    http::serve(shop::router(shop::App { cache }), http::Edge::from_env(database)).await
}

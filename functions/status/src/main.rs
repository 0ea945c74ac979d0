//! Runs the `status` function on AWS Lambda.

use shared::{
    config::{self, Settings},
    database::Database,
    http, logging,
    redis::Redis,
    throttle::{Limit, Throttle},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let database = Database::from_settings(&settings)?;
    let redis = Redis::from_settings(&settings)?;
    let app = status::App {
        database: database.clone(),
        throttle: Throttle::from_env(redis.clone()),
        redis,
        checks_per_address: Limit::public_reads()?,
        example: config::optional(config::EXAMPLE_URL),
    };
    http::serve(status::router(app), http::Edge::from_env(settings, database)).await
}

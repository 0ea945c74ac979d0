//! Runs the `payments` function on AWS Lambda.

use payments::{App, DEADLINE, Gateway};
use shared::{database::Database, http, logging, redis::Redis, throttle::Throttle};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let database = Database::from_env()?;
    let app = App {
        database: database.clone(),
        gateway: Gateway::from_env()?,
        throttle: Throttle::from_env(Redis::from_env()?),
        orders_per_address: payments::orders_per_address()?,
    };
    let edge = http::Edge { deadline: DEADLINE, ..http::Edge::from_env(database) };
    http::serve(payments::router(app), edge).await
}

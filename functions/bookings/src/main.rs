//! Runs the `bookings` function on AWS Lambda.

use bookings::{App, Limits};
use shared::{config, database::Database, http, logging, redis::Redis, throttle::Throttle};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let database = Database::from_env()?;
    let app = App {
        database: database.clone(),
        throttle: Throttle::from_env(Redis::from_env()?),
        limits: Limits::from_env()?,
        payments: config::or_default(config::RAZORPAY_ENABLED, false)?.into(),
    };
    http::serve(bookings::router(app), http::Edge::from_env(database)).await
}

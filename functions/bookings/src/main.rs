//! Runs the `bookings` function on AWS Lambda.

use bookings::{App, Limits};
use shared::{
    config,
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    throttle::Throttle,
};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let (database, redis, descope) = (Database::from_env()?, Redis::from_env()?, Descope::from_env()?);
    let app = App {
        database: database.clone(),
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope },
        throttle: Throttle::from_env(redis),
        limits: Limits::from_env()?,
        payments: config::or_default(config::RAZORPAY_ENABLED, false)?.into(),
    };
    http::serve(bookings::router(app), http::Edge::from_env(database)).await
}

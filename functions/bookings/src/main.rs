//! Runs the `bookings` function on AWS Lambda.

use bookings::{App, Limits};
use shared::{
    config,
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    staff::StaffKeys,
    throttle::Throttle,
};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let (database, redis, descope) = (Database::from_env()?, Redis::from_env()?, Descope::from_env()?);
    let throttle = Throttle::from_env(redis.clone());
    let app = App {
        database: database.clone(),
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis), descope },
        staff_keys: StaffKeys::from_env(database.clone(), throttle.clone())?,
        throttle,
        limits: Limits::from_env()?,
        payments: config::or_default(config::RAZORPAY_ENABLED, false)?.into(),
    };
    http::serve(bookings::router(app), http::Edge::from_env(database)).await
}

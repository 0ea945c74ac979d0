//! Runs the `bookings` function on AWS Lambda.

use bookings::{App, Limits};
use shared::{
    bookings::{own::Cutoff, unproved},
    config::{self, Settings},
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    staff::StaffKeys,
    throttle::Throttle,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let (database, redis) = (Database::from_settings(&settings)?, Redis::from_settings(&settings)?);
    // Each request asks for its limits, then Postgres.
    redis.open_early(&settings);
    database.open_early(&settings);
    let descope = Descope::from_settings(&settings)?;
    let throttle = Throttle::from_env(redis.clone());
    let app = App {
        database: database.clone(),
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis), descope },
        staff_keys: StaffKeys::from_settings(&settings, database.clone(), throttle.clone())?,
        throttle,
        limits: Limits::from_env()?,
        online: config::or_default(config::RAZORPAY_ENABLED, false)?.into(),
        cutoff: Cutoff::from_env()?,
        unproved: unproved::Limits::from_env()?,
    };
    http::serve(bookings::router(app), http::Edge::from_env(settings, database)).await
}

//! Runs the `auth` function on AWS Lambda.

use auth::{Admits, App, DEADLINE, Limits, Messages, Seals};
use shared::{
    config::Settings,
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    throttle::Throttle,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let (database, redis) = (Database::from_settings(&settings)?, Redis::from_settings(&settings)?);
    // Its requests ask for their limits first.
    redis.open_early(&settings);
    let descope = Descope::from_settings(&settings)?;
    let app = App {
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope },
        seals: Seals::from_settings(&settings)?,
        throttle: Throttle::from_env(redis),
        limits: Limits::from_env()?,
        messages: Messages::from_env()?,
        admits: Admits::Everyone,
    };
    let edge = http::Edge { deadline: DEADLINE, ..http::Edge::from_env(settings, database) };
    http::serve(auth::router(app), edge).await
}

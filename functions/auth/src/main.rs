//! Runs the `auth` function on AWS Lambda.

use auth::{App, DEADLINE, Limits, Messages, Seals};
use shared::{
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
    let (database, redis) = (Database::from_env()?, Redis::from_env()?);
    let descope = Descope::from_env()?;
    let app = App {
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope },
        seals: Seals::from_env()?,
        throttle: Throttle::from_env(redis),
        limits: Limits::from_env()?,
        messages: Messages::from_env()?,
    };
    let edge = http::Edge { deadline: DEADLINE, ..http::Edge::from_env(database) };
    http::serve(auth::router(app), edge).await
}

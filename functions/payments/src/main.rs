//! Runs the `payments` function on AWS Lambda.

use payments::{App, DEADLINE, Gateway, Limits};
use shared::{config::Settings, database::Database, http, logging, redis::Redis, throttle::Throttle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let database = Database::from_settings(&settings)?;
    let app = App {
        database: database.clone(),
        gateway: Gateway::from_settings(&settings)?,
        throttle: Throttle::from_env(Redis::from_settings(&settings)?),
        limits: Limits::from_env()?,
    };
    let edge = http::Edge { deadline: DEADLINE, ..http::Edge::from_env(settings, database) };
    http::serve(payments::router(app), edge).await
}

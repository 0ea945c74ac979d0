//! Runs the `status` function on AWS Lambda.

use shared::{config::Settings, database::Database, http, logging, redis::Redis};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let database = Database::from_settings(&settings)?;
    let app = status::App { database: database.clone(), redis: Redis::from_settings(&settings)? };
    http::serve(status::router(app), http::Edge::from_env(settings, database)).await
}

//! Runs the `vehicles` function on AWS Lambda.

use shared::{cache::Cache, config::Settings, database::Database, http, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let database = Database::from_settings(&settings)?;
    let app = vehicles::App { cache: Cache::from_settings(&settings, database.clone())? };
    http::serve(vehicles::router(app), http::Edge::from_env(settings, database)).await
}

//! Runs the `status` function on AWS Lambda.

use shared::{database::Database, http, logging, redis::Redis};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let database = Database::from_env()?;
    let app = status::App { database: database.clone(), redis: Redis::from_env()? };
    http::serve(status::router(app), http::Edge::from_env(database)).await
}

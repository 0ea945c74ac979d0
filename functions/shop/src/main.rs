//! Runs the `shop` function on AWS Lambda.

use shared::{cache::Cache, database::Database, http, logging};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let database = Database::from_env()?;
    let app = shop::App { cache: Cache::from_env(database.clone())? };
    http::serve(shop::router(app), http::Edge::from_env(database)).await
}

//! Runs the `messages` function on AWS Lambda.

use messages::App;
use shared::{config::Settings, database::Database, http, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let database = Database::from_settings(&settings)?;
    let app = App::from_settings(&settings, database.clone())?;
    http::serve(messages::router(app), http::Edge::new(settings, database)).await
}

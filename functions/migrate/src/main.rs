//! Runs the `migrate` function on AWS Lambda.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{config::Settings, database::Database, logging, redis::Redis};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    logging::catch_panics();
    let settings = Settings::start();
    let app = migrate::App {
        database: Database::from_settings(&settings)?,
        redis: Redis::from_settings(&settings)?,
        accounts: migrate::Accounts::from_settings(&settings)?,
    };
    settings.ready().await;
    let (settings, app) = (&settings, &app);
    let handle = async |event: LambdaEvent<migrate::Event>| {
        settings.renew_if_old().await;
        app.handle(event.payload).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}

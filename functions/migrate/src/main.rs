//! Runs the `migrate` function on AWS Lambda.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{database::Database, logging, redis::Redis};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    logging::catch_panics();
    let app = migrate::App {
        database: Database::from_env()?,
        redis: Redis::from_env()?,
        accounts: migrate::Accounts::from_env()?,
    };
    let app = &app;
    let handle =
        async |event: LambdaEvent<migrate::Event>| app.handle(event.payload).await.map_err(lambda_runtime::Error::from);
    lambda_runtime::run(service_fn(handle)).await
}

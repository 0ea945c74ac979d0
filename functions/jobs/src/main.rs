//! Runs the `jobs` function on AWS Lambda.

use jobs::App;
use lambda_runtime::{LambdaEvent, service_fn};
use shared::{config, database::Database, logging, metrics, razorpay::Razorpay};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    logging::catch_panics();
    metrics::init();
    let is_enabled = config::or_default(config::RAZORPAY_ENABLED, false)?;
    let razorpay = if is_enabled { Some(Razorpay::from_env()?) } else { None };
    let app = App { database: Database::from_env()?, razorpay };
    let app = &app;
    let handle = async |event: LambdaEvent<jobs::Event>| {
        let done = app.handle(event.payload).await;
        metrics::flush();
        done.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}

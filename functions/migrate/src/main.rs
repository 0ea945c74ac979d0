//! Runs the `migrate` function on AWS Lambda.

use std::time::SystemTime;

use lambda_runtime::{LambdaEvent, service_fn};
use migrate::{Invocation, Outcome};
use shared::{config::Settings, database::Database, logging, outgoing, redis::Redis};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    logging::catch_panics();
    let settings = Settings::start().await;
    let app = migrate::App {
        database: Database::from_settings(&settings)?,
        roles: migrate::Roles::from_settings(&settings)?,
        redis: Redis::from_settings(&settings)?,
        personnel: migrate::Personnel::from_settings(&settings)?,
        answers: outgoing::client()?,
    };
    settings.ready().await;
    let (settings, app) = (&settings, &app);
    let handle = async |event: LambdaEvent<Invocation>| -> Result<Option<Outcome>, lambda_runtime::Error> {
        settings.renew_if_old().await;
        match event.payload {
            Invocation::Deployment(deployment) => {
                let time_left = event.context.deadline().duration_since(SystemTime::now());
                app.deploy(&deployment, time_left.unwrap_or_default()).await?;
                Ok(None)
            }
            Invocation::Event(event) => Ok(Some(Box::pin(app.handle(event)).await?)),
        }
    };
    lambda_runtime::run(service_fn(handle)).await
}

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
    let handle = async |LambdaEvent { payload, context }: LambdaEvent<Invocation>| {
        logging::invocation(&context.request_id, async {
            settings.renew_if_old().await;
            Ok::<Option<Outcome>, lambda_runtime::Error>(match payload {
                Invocation::Deployment(deployment) => {
                    let time_left = context.deadline().duration_since(SystemTime::now());
                    app.deploy(&deployment, time_left.unwrap_or_default()).await?;
                    None
                }
                Invocation::Event(event) => Some(Box::pin(app.handle(event)).await?),
            })
        })
        .await
    };
    lambda_runtime::run(service_fn(handle)).await
}

//! Runs the `jobs` function on AWS Lambda.

use jobs::{App, People};
use lambda_runtime::{LambdaEvent, service_fn};
use shared::{
    Error,
    carriers::Carriers,
    config::{self, Settings},
    database::Database,
    descope::Descope,
    logging,
    messages::Plan,
    metrics,
    razorpay::Razorpay,
    sign_in::Seals,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    logging::catch_panics();
    metrics::init()?;
    let settings = Settings::start().await;
    let razorpay = Some(Razorpay::from_settings(&settings)?);
    let people = match config::optional(config::DESCOPE_PROJECT_ID) {
        Some(_) => {
            Some(People { descope: Descope::from_settings(&settings)?, seals: Seals::from_settings(&settings)? })
        }
        None => None,
    };
    let database = Database::from_settings(&settings)?.patient(jobs::STATEMENT_TIMEOUT);
    let (carriers, plan) = (Some(Carriers::from_settings(&settings)?), Plan::from_env()?);
    let app = App { database, razorpay, people, carriers, plan };
    settings.ready().await;
    let (settings, app) = (&settings, &app);
    let handle = async |LambdaEvent { payload: event, context }: LambdaEvent<jobs::Event>| {
        logging::invocation(&context.request_id, async {
            settings.renew_if_old().await;
            let outcome = match app.handle(event.clone()).await {
                // Every event is safe to repeat.
                Err(Error::Database(error)) if app.database.may_now_let_in(&error).await => app.handle(event).await,
                outcome => outcome,
            };
            metrics::flush();
            outcome.map_err(lambda_runtime::Error::from)
        })
        .await
    };
    lambda_runtime::run(service_fn(handle)).await
}

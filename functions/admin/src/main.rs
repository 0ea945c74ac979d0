//! Runs the `admin` function on AWS Lambda.

use admin::{App, edge};
use shared::{
    bookings::manage_page::ManagePage,
    config::Settings,
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    sign_in::{Admits, Limits, Messages, Seals, SignIn},
    throttle::Throttle,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let (database, redis) = (Database::from_settings(&settings)?, Redis::from_settings(&settings)?);
    let descope = Descope::from_settings(&settings)?;
    let sign_in = SignIn {
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope },
        seals: Seals::from_settings(&settings)?,
        throttle: Throttle::from_env(redis.clone()),
        limits: Limits::from_env()?,
        messages: Messages::from_env()?,
        admits: Admits::Personnel,
    };
    let app = App { sign_in, redis, manage_page: ManagePage::from_env()? };
    http::serve(admin::router(app), edge(settings, database)).await
}

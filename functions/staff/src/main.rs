//! Runs the `staff` function on AWS Lambda.

use shared::{
    config::Settings,
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    staff::StaffKeys,
    throttle::Throttle,
};
use staff::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let (database, redis) = (Database::from_settings(&settings)?, Redis::from_settings(&settings)?);
    let descope = Descope::from_settings(&settings)?;
    let app = App {
        database: database.clone(),
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope },
        staff_keys: StaffKeys::from_settings(&settings, database.clone(), Throttle::from_env(redis))?,
    };
    http::serve(staff::router(app), http::Edge::from_env(settings, database)).await
}

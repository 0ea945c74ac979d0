//! Runs the `staff` function on AWS Lambda.

use shared::{
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    staff::StaffKeys,
    throttle::Throttle,
};
use staff::App;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let (database, redis, descope) = (Database::from_env()?, Redis::from_env()?, Descope::from_env()?);
    let app = App {
        database: database.clone(),
        sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope },
        staff_keys: StaffKeys::from_env(database.clone(), Throttle::from_env(redis))?,
    };
    http::serve(staff::router(app), http::Edge::from_env(database)).await
}

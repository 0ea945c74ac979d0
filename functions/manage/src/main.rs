//! Runs the `manage` function on AWS Lambda.

use manage::{App, Limits, Payments, edge};
use shared::{
    bookings::{own::Cutoff, unproved},
    config::Settings,
    database::Database,
    descope::{Descope, Keys},
    http, logging,
    redis::Redis,
    session::Sessions,
    sign_in::{self, Admits, Messages, Seals, SignIn},
    throttle::Throttle,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::start().await;
    let (database, redis) = (Database::from_settings(&settings)?, Redis::from_settings(&settings)?);
    let descope = Descope::from_settings(&settings)?;
    let app = App {
        sign_in: SignIn {
            sessions: Sessions { database: database.clone(), keys: Keys::new(descope.clone(), redis.clone()), descope },
            seals: Seals::from_settings(&settings)?,
            throttle: Throttle::from_env(redis),
            limits: sign_in::Limits::from_env()?,
            messages: Messages::from_env()?,
            admits: Admits::Everyone,
        },
        payments: Payments::from_settings(&settings)?,
        cutoff: Cutoff::from_env()?,
        unproved: unproved::Limits::from_env()?,
        limits: Limits::from_env()?,
    };
    http::serve(manage::router(app), edge(settings, database)).await
}

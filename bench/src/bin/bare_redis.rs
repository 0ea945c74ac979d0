//! A bare function that answers with the result of one Redis `GET`: the baseline of a cached read.
#![expect(
    clippy::disallowed_methods,
    reason = "this is no part of the deployed system, which names its variables in shared"
)]

use std::env;

use lambda_http::{Error, Request, Response, run, service_fn};
use redis::{AsyncCommands, Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let key = env::var("BENCH_REDIS_KEY")?;
    let connection = Client::open(env::var("REDIS_URL")?)?.get_multiplexed_async_connection().await?;
    run(service_fn(async |_: Request| {
        let found: String = connection.clone().get(&key).await?;
        Ok::<_, Error>(Response::builder().header("content-type", "application/json").body(found)?)
    }))
    .await
}

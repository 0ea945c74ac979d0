//! Rate limits while the network to Redis fails.

use std::time::Duration;

use shared::{
    Error,
    throttle::{Limit, Throttle},
};
use testing::{Fault, Network};

const TWICE: Limit = Limit::new("test", 2, Duration::from_mins(1));

#[tokio::test]
async fn a_request_counts_once_though_the_answer_of_redis_was_lost() {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let prefix = testing::random_prefix();
    let throttle = Throttle::new(testing::redis_at(&url, &prefix), true);
    let elsewhere = Throttle::new(testing::redis_at(&testing::redis_url(), &prefix), true);
    let claims = [TWICE.on("caller")];
    throttle.peek(&claims).await.unwrap();
    network.lose_an_answer();
    // Sent twice: the second attempt is a repetition of the first.
    throttle.check(&claims).await.unwrap();
    assert_eq!(network.connections(), 2);
    elsewhere.check(&claims).await.unwrap();
    assert!(matches!(elsewhere.check(&claims).await, Err(Error::Throttled { .. })));
}

#[tokio::test]
async fn a_request_is_given_back_once_though_the_answer_of_redis_was_lost() {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let prefix = testing::random_prefix();
    let throttle = Throttle::new(testing::redis_at(&url, &prefix), true);
    let elsewhere = Throttle::new(testing::redis_at(&testing::redis_url(), &prefix), true);
    let claims = [TWICE.on("caller")];
    throttle.check(&claims).await.unwrap();
    elsewhere.check(&claims).await.unwrap();
    network.lose_an_answer();
    throttle.give_back(&claims).await;
    assert_eq!(network.connections(), 2);
    elsewhere.check(&claims).await.unwrap();
    assert!(matches!(elsewhere.check(&claims).await, Err(Error::Throttled { .. })));
}

#[tokio::test]
async fn what_costs_money_is_refused_while_redis_is_away_and_all_else_passes() {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    network.set(Fault::Stopped);
    let throttle = Throttle::new(testing::redis_at(&url, &testing::random_prefix()), true);
    let claims = [TWICE.on("caller")];
    assert!(matches!(throttle.insist(&claims).await, Err(Error::Redis(_))));
    throttle.check(&claims).await.unwrap();
    throttle.peek(&claims).await.unwrap();
}

#[tokio::test]
async fn a_guess_counts_once_though_the_answer_of_redis_was_lost() {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let prefix = testing::random_prefix();
    let throttle = Throttle::new(testing::redis_at(&url, &prefix), true);
    let elsewhere = Throttle::new(testing::redis_at(&testing::redis_url(), &prefix), true);
    let wrong = TWICE.on("caller");
    throttle.peek(&[wrong]).await.unwrap();
    network.lose_an_answer();
    let found = throttle.guess(wrong, "a guess", async { Ok(None::<()>) }, Option::is_some).await;
    assert!(matches!(found, Ok(None)));
    assert_eq!(network.connections(), 2);
    elsewhere.check(&[wrong]).await.unwrap();
    assert!(matches!(elsewhere.check(&[wrong]).await, Err(Error::Throttled { .. })));
}

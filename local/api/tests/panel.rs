//! What is saved in the panel is what customers see next.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use descope_stand_in::StandIn;
use serde_json::json;
use shared::{
    accounts::ADMIN_ROLE,
    cache::Cache,
    config::Settings,
    database::Database,
    redis::Redis,
    sign_in::{Admits, Limits, Messages, Seals, SignIn, personnel::Personnel},
    throttle::Limit,
};
use sqlx::PgPool;
use testing::Client;

const OWNER: &str = "owner@example.com";
const PASSWORD: &str = "correct horse battery";
const PAGE: &str = "https://api.example/admin/password/";

/// The panel, with an owner signed in.
async fn panel(database: &Database, redis: &Redis, descope: &StandIn) -> Client {
    let sessions = testing::sessions(database, descope, redis);
    let personnel = Personnel { descope: sessions.descope.clone(), password_reset_url: PAGE.to_owned() };
    let sign_in = SignIn {
        sessions,
        seals: Seals::parse("test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap(),
        throttle: testing::no_throttle(redis),
        limits: Limits::from_env().unwrap(),
        messages: Messages { password_reset_url: PAGE.to_owned(), code_lifetime: Duration::from_mins(3) },
        admits: Admits::Personnel,
    };
    let router = admin::router(admin::App { sign_in, redis: redis.clone() });
    let client = Client::behind(router, admin::edge(Settings::default(), database.clone()));
    let client = client.with("Host", "api.example").with("Sec-Fetch-Site", "same-origin");
    personnel.appoint(database, OWNER, ADMIN_ROLE).await.unwrap();
    let token = descope.inbox(OWNER).into_iter().find_map(|message| message.token).unwrap();
    client.submit("/admin/password/", &[("token", &token), ("new_password", PASSWORD)]).await;
    let entered = client.submit("/admin/sign-in/", &[("email", OWNER), ("password", PASSWORD)]).await;
    let cookie = entered.cookies.first().unwrap().split(';').next().unwrap().to_owned();
    client.with("Cookie", &cookie)
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_price_saved_in_the_panel_is_on_the_next_public_read(pool: PgPool) {
    let (descope, redis, database) = (StandIn::start().await, testing::redis(), Database::from(pool.clone()));
    testing::import_catalogue(&pool, &redis).await;
    let cache =
        Cache::new(redis.clone(), database.clone(), testing::no_throttle(&redis), Limit::public_reads().unwrap());
    let customer = Client::new(services::router(services::App { cache }), database.clone());
    let price_of_oil = async || {
        let answer = customer.get("/api/service-pricing/by-vehicle/?vehicle_model_id=7").await;
        let offers = answer.body["data"].as_array().unwrap().clone();
        offers.into_iter().find(|offer| offer["service_id"] == 4).map(|offer| offer["price"].clone())
    };
    // The second read is served from Redis.
    assert_eq!(price_of_oil().await, Some(json!("390.00")));
    assert_eq!(price_of_oil().await, Some(json!("390.00")));
    let owner = panel(&database, &redis, &descope).await;
    for (was, typed, expected) in
        [("4-7=39000", "395.50", Some(json!("395.50"))), ("4-7=39550", "", None), ("", "391", Some(json!("391.00")))]
    {
        let answer = owner.submit("/admin/prices/?brand=2", &[("was", was), ("price-4-7", typed)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/admin/prices/?brand=2&done=saved&count=1"),
            "{}",
            answer.text
        );
        assert_eq!(price_of_oil().await, expected);
    }
}

//! What is saved in the panel is what customers see next.
#![expect(clippy::unwrap_used, reason = "test code")]

use chrono::Weekday;
use descope_stand_in::StandIn;
use serde_json::json;
use shared::{
    accounts::ADMIN_ROLE,
    cache::Cache,
    config::Settings,
    database::Database,
    history::{Author, Source},
    redis::Redis,
    sign_in::{Admits, SignIn, personnel::Personnel},
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
    let personnel = Personnel { descope: sessions.descope.clone(), password_reset_url: Some(PAGE.to_owned()) };
    let sign_in = SignIn { admits: Admits::Personnel, ..testing::sign_in(sessions, redis) };
    let router = admin::router(admin::App { sign_in, redis: redis.clone() });
    let client = Client::behind(router, admin::edge(Settings::default(), database.clone()));
    let client = client.with("Host", "api.example").with("Sec-Fetch-Site", "same-origin");
    personnel.appoint(database, OWNER, ADMIN_ROLE, None, &Author::system(Source::Migrate)).await.unwrap();
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

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn slots_follow_hours_and_holidays_saved_in_the_panel_at_the_next_request(pool: PgPool) {
    let (descope, redis, database) = (StandIn::start().await, testing::redis(), Database::from(pool.clone()));
    testing::import_catalogue(&pool, &redis).await;
    let throttle = testing::no_throttle(&redis);
    let customer = Client::new(
        bookings::router(bookings::App {
            database: database.clone(),
            sessions: testing::sessions(&database, &descope, &redis),
            staff_keys: testing::staff_keys(&database, &throttle),
            throttle,
            limits: bookings::Limits::from_env().unwrap(),
            online: shared::bookings::plan::OnlinePayment::Disabled,
        }),
        database.clone(),
    );
    let monday = testing::next(Weekday::Mon);
    let starts = async || {
        let answer = customer.get(&format!("/api/slots/?date={monday}&service_location=shop")).await;
        let slots = answer.body["data"].as_array().unwrap().clone();
        slots.iter().map(|slot| slot["time"].as_str().unwrap()[..5].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(starts().await.first().map(String::as_str), Some("09:00"));
    let owner = panel(&database, &redis, &descope).await;
    let page = owner.get("/admin/shop/hours/").await;
    let version = page.text.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("version", version.as_str()), ("monday_opens", "11:30"), ("monday_closes", "14:30")];
    assert_eq!(owner.submit("/admin/shop/hours/", &fields).await.status, 303);
    assert_eq!(starts().await, ["11:30", "12:30", "13:30"]);
    let fields = [("name", "Pongal"), ("from", &monday.to_string()), ("to", "")];
    assert_eq!(owner.submit("/admin/shop/holidays/", &fields).await.status, 303);
    assert_eq!(starts().await, Vec::<String>::new());
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_user_blocked_in_the_panel_is_refused_by_the_api_at_the_next_request(pool: PgPool) {
    let (descope, redis, database) = (StandIn::start().await, testing::redis(), Database::from(pool.clone()));
    let sessions = testing::sessions(&database, &descope, &redis);
    let users = Client::within(auth::router(testing::sign_in(sessions, &redis)), database.clone(), auth::DEADLINE);
    let fields = json!({ "email": "user@example.com", "password": PASSWORD, "first_name": "A", "last_name": "B" });
    let user = users.post("/api/auth/register/", &fields).await;
    let token = format!("Bearer {}", user.body["session_token"].as_str().unwrap());
    assert_eq!(users.with("Authorization", &token).get("/api/auth/profile/").await.status, 200);
    let owner = panel(&database, &redis, &descope).await;
    let path = format!("/admin/users/{}/block/", user.body["user"]["id"]);
    assert_eq!(owner.submit(&path, &[]).await.status, 303);
    let refused = users.with("Authorization", &token).get("/api/auth/profile/").await;
    assert_eq!((refused.status, &refused.body["code"]), (401, &json!("SESSION_REVOKED")));
    let login = users.post("/api/auth/login/", &json!({ "email": "user@example.com", "password": PASSWORD })).await;
    assert_eq!((login.status, &login.body["code"]), (403, &json!("PERMISSION_DENIED")));
}

//! What is saved in the panel is what customers see next.
#![expect(clippy::unwrap_used, reason = "test code")]

use chrono::Weekday;
use descope_stand_in::StandIn;
use serde_json::json;
use shared::{
    accounts::ADMIN_ROLE,
    bookings::manage_page::ManagePage,
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
    let app = admin::App { sign_in, redis: redis.clone(), manage_page: ManagePage::default() };
    let router = admin::router(app);
    let client = Client::behind(router, admin::edge(Settings::default(), database.clone()));
    let client = client.with("Host", "api.example").with("Sec-Fetch-Site", "same-origin");
    personnel.appoint(database, OWNER, ADMIN_ROLE, None, &Author::system(Source::Migrate)).await.unwrap();
    let token = descope.inbox(OWNER).into_iter().find_map(|message| message.token).unwrap();
    client.submit("/admin/password/", &[("token", &token), ("new_password", PASSWORD)]).await;
    let entered = client.submit("/admin/sign-in/", &[("email", OWNER), ("password", PASSWORD)]).await;
    let cookie = entered.cookies.first().unwrap().split(';').next().unwrap().to_owned();
    client.with("Cookie", &cookie)
}

/// The API of bookings, as a customer calls it.
fn customer(database: &Database, redis: &Redis, descope: &StandIn) -> Client {
    let throttle = testing::no_throttle(redis);
    let app = bookings::App {
        database: database.clone(),
        sessions: testing::sessions(database, descope, redis),
        staff_keys: testing::staff_keys(database, &throttle),
        throttle,
        limits: bookings::Limits::from_env().unwrap(),
        online: shared::bookings::plan::OnlinePayment::Disabled,
        cutoff: shared::bookings::own::Cutoff::from_env().unwrap(),
        unproved: shared::bookings::unproved::Limits::OFF,
    };
    Client::new(bookings::router(app), database.clone())
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
    let customer = customer(&database, &redis, &descope);
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

/// What a customer sends in each text: it would leave an attribute and begin a script.
const TEXT: &str = "\"><script>alert(1)</script>";
const EMAIL: &str = "\"><script>alert(1)</script>\"@example.com";

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn no_text_of_a_customer_runs_in_the_panel(pool: PgPool) {
    let (descope, redis, database) = (StandIn::start().await, testing::redis(), Database::from(pool.clone()));
    testing::import_catalogue(&pool, &redis).await;
    let users = auth::router(testing::sign_in(testing::sessions(&database, &descope, &redis), &redis));
    let users = Client::within(users, database.clone(), auth::DEADLINE).with("User-Agent", TEXT);
    let account = json!({ "email": "user@example.com", "password": PASSWORD, "first_name": TEXT, "last_name": TEXT });
    assert_eq!(users.post("/api/auth/register/", &account).await.status, 201);
    let customer = customer(&database, &redis, &descope);
    let monday = testing::next(Weekday::Mon);
    for time in ["10:00", "12:00"] {
        let booking = json!({
            "customer_name": TEXT, "customer_phone": "+919876543210", "customer_email": EMAIL, "vehicle_model_id": 7,
            "service_ids": [4], "service_location": "home", "address": TEXT, "notes": TEXT, "appointment_date": monday,
            "appointment_time": time, "payment_method": "cash",
        });
        let made = customer.post("/api/bookings/", &booking).await;
        assert_eq!(made.status, 201, "{}", made.text);
        if time == "10:00" {
            let token = made.body["data"]["access_token"].as_str().unwrap();
            let path = format!("/api/bookings/{}/cancel/", made.body["data"]["id"]);
            let cancelled = customer.with("X-Booking-Token", token).post(&path, &json!({ "reason": TEXT })).await;
            assert_eq!(cancelled.status, 200, "{}", cancelled.text);
        }
    }
    let owner = panel(&database, &redis, &descope).await;
    let cash = [("version", "1"), ("amount", "390.00")];
    assert_eq!(owner.submit("/admin/bookings/2/cash/", &cash).await.status, 303);

    let shows = |text: &str| text.contains("&lt;script&gt;alert(1)");
    for route in admin::ROUTES.iter().filter(|route| route.method == "get" && !route.path.contains("assets")) {
        for id in ["1", "2"] {
            let page = owner.get(&route.path.replace("{id}", id)).await;
            let is_page = page.header("content-type").starts_with("text/html");
            assert!(!is_page || !page.text.contains("<script>alert"), "{} {id}", route.path);
            let is_file = page.header("content-disposition").starts_with("attachment");
            let is_json = page.header("content-type").starts_with("application/json");
            assert!(is_page || is_file || is_json || page.status == 303, "{}: {:?}", route.path, page.headers);
            assert_eq!(page.header("x-content-type-options"), "nosniff", "{}", route.path);
        }
    }
    for path in [
        &format!("/admin/?day={monday}"),
        &format!("/admin/?day={monday}&by=status"),
        "/admin/bookings/",
        "/admin/bookings/?q=script",
        "/admin/bookings/1/",
        "/admin/bookings/2/",
        "/admin/bookings/1/print/job-card/",
        "/admin/bookings/2/print/receipt/",
        "/admin/bookings/2/print/roll/",
        "/admin/bookings/2/print/tag/",
        "/admin/bookings/new/?customer_phone=%2B919876543210",
        "/admin/customers/",
        "/admin/customers/1/",
        "/admin/cash/",
        "/admin/search/?q=script",
        "/admin/users/",
        "/admin/users/1/",
        "/admin/sessions/",
    ] {
        let page = owner.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert!(shows(&page.text), "{path} shows it: {}", page.text);
        assert!(!page.text.contains("<script>alert"), "{path}: {}", page.text);
    }
    let bulk = [("which", "ticked"), ("count", "1"), ("to", "confirmed"), ("row", "2:2")];
    let named = owner.submit("/admin/bookings/bulk/", &bulk).await;
    assert!(shows(&named.text) && !named.text.contains("<script>alert"), "{}", named.text);
    let suggested = owner.get("/admin/search/suggestions/?q=script").await;
    assert!(suggested.header("content-type").starts_with("application/json"));
    assert!(suggested.text.contains("script>alert"), "as JSON, which no browser shows as a page: {}", suggested.text);
}

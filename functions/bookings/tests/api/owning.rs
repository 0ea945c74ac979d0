//! A session as proof of ownership: a user with a verified number owns its bookings until the session ends.

use descope_stand_in::StandIn;
use serde_json::{Value, json};
use shared::{
    bookings::unproved::Limits,
    database::{Database, MIGRATOR},
    descope::Channel,
    redis::Redis,
};
use sqlx::PgPool;
use testing::Client;

use super::{App, app, book, booking, booking_with, monday};

pub(super) struct World {
    pub(super) client: Client,
    pub(super) descope: StandIn,
    pub(super) pool: PgPool,
    redis: Redis,
}

impl World {
    pub(super) async fn new(pool: PgPool) -> Self {
        Self::with(pool, Limits::OFF).await
    }

    pub(super) async fn with(pool: PgPool, unproved: Limits) -> Self {
        let (descope, redis) = (StandIn::start().await, testing::redis());
        testing::import_catalogue(&pool, &redis).await;
        let database = Database::from(pool.clone());
        let sessions = testing::sessions(&database, &descope, &redis);
        let app = App { sessions, unproved, ..app(&database, testing::no_throttle(&redis)) };
        Self { client: Client::new(bookings::router(app), database), descope, pool, redis }
    }

    /// A caller signed in with this number by a code of Descope.
    pub(super) async fn owner_of(&self, phone: &str) -> Client {
        let database = Database::from(self.pool.clone());
        let descope = testing::sessions(&database, &self.descope, &self.redis).descope;
        descope.send_code(Channel::Sms, phone).await.unwrap();
        let code = self.descope.inbox(phone)[0].code.clone().unwrap();
        let signed_in = descope.verify_code(Channel::Sms, phone, &code).await.unwrap();
        let owner = self.client.with("Authorization", &format!("Bearer {}", signed_in.session_jwt));
        owner.get("/api/bookings/").await;
        // What a code that is proved here writes.
        let prove = "update users set phone = $1, is_phone_verified = true
            where id = (select user_id from user_sessions order by id desc limit 1)";
        sqlx::query(prove).bind(phone).execute(&self.pool).await.unwrap();
        owner
    }
}

const PHONE: &str = "+919876543210";
const OTHER: &str = "+919876543211";

fn public(mut detail: Value) -> Value {
    detail.as_object_mut().unwrap().remove("access_token");
    detail
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_user_s_own_bookings_are_listed_unmasked(pool: PgPool) {
    let world = World::new(pool).await;
    let first = book(&world.client, &booking()).await;
    let second = book(&world.client, &booking_with(&json!({ "appointment_time": "12:00" }))).await;
    book(&world.client, &booking_with(&json!({ "customer_phone": OTHER }))).await;
    let owner = world.owner_of(PHONE).await;
    let mut expected = json!({
        "error": false, "message": "Bookings retrieved successfully",
        "data": [public(second.answer.body["data"].clone()), public(first.answer.body["data"].clone())]
    });
    for path in ["/api/bookings/", "/api/bookings/bookings", "/api/bookings/?phone=098765%2043210"] {
        if path.contains("phone") {
            expected["message"] = json!("Booking history retrieved successfully");
        }
        let listed = owner.get(path).await;
        assert_eq!((listed.status, &listed.body), (200, &expected), "{path}");
        assert_eq!(listed.header("cache-control"), "no-store");
    }
    let page = owner.get("/api/bookings/?page=2&page_size=1").await.body;
    assert_eq!((&page["count"], &page["data"]), (&json!(2), &json!([expected["data"][1]])));
    assert_eq!(page["previous"], "/api/bookings/?page=1&page_size=1");
    let other = owner.get(&format!("/api/bookings/?phone={}", OTHER.replace('+', "%2B"))).await.body;
    assert_eq!(other["data"][0]["customer"]["name"], "J. D.", "another's number is masked");
    let nobody = world.owner_of("+919876500000").await.get("/api/bookings/").await.body;
    assert_eq!(nobody, json!({ "error": false, "message": "Bookings retrieved successfully", "data": [] }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_allows_the_owner_what_the_booking_s_token_allows(pool: PgPool) {
    let world = World::new(pool).await;
    let booked = book(&world.client, &booking()).await;
    let owner = world.owner_of(PHONE).await;
    let shown = owner.get(&booked.path).await;
    assert_eq!((shown.status, &shown.body["data"]), (200, &public(booked.answer.body["data"].clone())));
    let moved = json!({ "appointment_date": monday(), "appointment_time": "15:00" });
    assert_eq!(owner.patch(&booked.path, &moved).await.status, 200);
    assert_eq!(owner.post(&format!("{}cancel/", booked.path), &json!({})).await.status, 200);
    let timeline = owner.get(&format!("{}timeline/", booked.path)).await.body;
    let events: Vec<Value> =
        timeline["data"].as_array().unwrap().iter().map(|event| json!([event["event"], event["actor"]])).collect();
    assert_eq!(json!(events), json!([["created", "customer"], ["rescheduled", "customer"], ["cancelled", "customer"]]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn another_user_sees_a_masked_booking_and_cannot_change_it(pool: PgPool) {
    let world = World::new(pool).await;
    let booked = book(&world.client, &booking()).await;
    let other = world.owner_of(OTHER).await;
    let shown = other.get(&booked.path).await;
    assert_eq!((shown.status, &shown.body["data"]["customer"]["phone"]), (200, &json!("••••••••10")));
    let moved = json!({ "appointment_date": monday(), "appointment_time": "15:00" });
    for answer in [
        other.patch(&booked.path, &moved).await,
        other.post(&format!("{}cancel/", booked.path), &json!({})).await,
        other.get(&format!("{}timeline/", booked.path)).await,
        other.with("X-Booking-Token", "wrong").get(&format!("{}timeline/", booked.path)).await,
    ] {
        assert_eq!((answer.status, &answer.body["code"]), (403, &json!("PERMISSION_DENIED")));
    }
    // The booking's token still gives another user the owner's access.
    let holder = booked.owner(&other);
    assert_eq!(holder.get(&format!("{}timeline/", booked.path)).await.status, 200);
    assert_eq!(holder.get(&booked.path).await.body["data"]["booking_status"], "pending");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unverified_number_gives_no_access_to_its_bookings(pool: PgPool) {
    let world = World::new(pool).await;
    let booked = book(&world.client, &booking()).await;
    let claimant = world.owner_of(OTHER).await;
    assert_eq!(claimant.get("/api/bookings/").await.status, 200);
    sqlx::query("update users set phone = $1, is_phone_verified = false")
        .bind(PHONE)
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(claimant.get("/api/bookings/").await.body["data"], json!([]));
    for path in ["/api/bookings/?phone=9876543210", &booked.path] {
        let data = claimant.get(path).await.body["data"].clone();
        let detail = if data.is_array() { &data[0] } else { &data };
        assert_eq!(detail["customer"]["name"], "J. D.", "{path}");
    }
    assert_eq!(claimant.post(&format!("{}cancel/", booked.path), &json!({})).await.status, 403);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_revoked_session_is_refused_from_the_next_request_on(pool: PgPool) {
    let world = World::new(pool).await;
    let booked = book(&world.client, &booking()).await;
    let owner = world.owner_of(PHONE).await;
    assert_eq!(owner.get("/api/bookings/").await.status, 200);
    sqlx::query("update user_sessions set revoked_at = now()").execute(&world.pool).await.unwrap();
    let moved = json!({ "appointment_date": monday(), "appointment_time": "15:00" });
    for answer in [
        owner.get("/api/bookings/").await,
        owner.get("/api/bookings/?phone=9876543210").await,
        owner.get(&booked.path).await,
        owner.post("/api/bookings/", &booking()).await,
        owner.patch(&booked.path, &moved).await,
        owner.post(&format!("{}cancel/", booked.path), &json!({})).await,
        owner.get(&format!("{}timeline/", booked.path)).await,
    ] {
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!("SESSION_REVOKED")));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn forged_and_expired_session_tokens_are_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let booked = book(&world.client, &booking()).await;
    world.owner_of(PHONE).await;
    let user_id = world.descope.user(PHONE).unwrap()["userId"].as_str().unwrap().to_owned();
    let header = json!({ "alg": "RS256", "kid": world.descope.kid() });
    let claims = world.descope.session_claims(&user_id);
    let now = claims["iat"].as_i64().unwrap();
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        world.descope.sign(header.clone(), claims)
    };
    let good = world.descope.sign(header.clone(), claims.clone());
    let unknown_key = world.descope.sign(json!({ "alg": "RS256", "kid": "SK2other" }), claims.clone());
    let tokens = [
        (with("exp", json!(now - 60)), "TOKEN_EXPIRED"),
        (with("nbf", json!(now + 60)), "TOKEN_INVALID"),
        (with("iss", json!("P2other")), "TOKEN_INVALID"),
        (with("drn", json!("DSR")), "TOKEN_INVALID"),
        (unknown_key, "TOKEN_INVALID"),
        (good.trim_end_matches(|character| character != '.').to_owned(), "TOKEN_INVALID"),
        ("x".repeat(10_000), "TOKEN_INVALID"),
    ];
    for (token, code) in &tokens {
        for client in [
            world.client.with("Authorization", &format!("Bearer {token}")),
            world.client.with("X-Session-Token", token),
            // Refused even with a valid booking token.
            booked.owner(&world.client).with("X-Session-Token", token),
        ] {
            for path in ["/api/bookings/", &booked.path, &format!("{}timeline/", booked.path)] {
                let answer = client.get(path).await;
                assert_eq!((answer.status, &answer.body["code"]), (401, &json!(code)), "{path}");
            }
        }
    }
    assert_eq!(world.client.with("X-Session-Token", &good).get("/api/bookings/").await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_that_one_answer_cannot_hold_is_cut_to_its_first_page(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    book(&world.client, &booking()).await;
    // Rows from before control characters were refused: each takes seven bytes of an answer.
    sqlx::raw_sql(
        "begin;
        insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location, address, notes,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
            payment_method, access_token_sha256, access_token_expires_at)
        select 'R' || n, customer_id, customer_name, vehicle_model_id, service_location, repeat(chr(27), 500),
            repeat(chr(27), 1000), appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, 1,
            payment_method, access_token_sha256, access_token_expires_at
        from bookings, generate_series(1, 499) n where bookings.id = 1;
        insert into booking_services (booking_id, service_id, price_paise) select id, 4, 1 from bookings where id > 1;
        commit",
    )
    .execute(&pool)
    .await
    .unwrap();
    let owner = world.owner_of(PHONE).await;
    let listed = owner.get("/api/bookings/").await;
    assert!(listed.text.len() < 5_500_000, "{}", listed.text.len());
    assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(100));
    assert_eq!((&listed.body["data"][0]["id"], &listed.body["count"]), (&json!(500), &json!(500)));
    let next = "/api/bookings/?page=2&page_size=100";
    assert_eq!((&listed.body["next"], &listed.body["previous"]), (&json!(next), &Value::Null));
    assert_eq!(owner.get(next).await.body["data"][0]["id"], 400);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_browser_s_language_is_learnt_from_the_owner_of_the_number_alone(pool: PgPool) {
    let world = World::new(pool).await;
    let language = async || {
        sqlx::query_scalar::<_, Option<String>>("select language from customers").fetch_one(&world.pool).await.unwrap()
    };
    let owner = world.owner_of(PHONE).await;
    let mut seen = Vec::new();
    for (caller, accepted) in
        [(&world.client, "hi-IN,hi;q=0.9"), (&owner, "en-IN,en;q=0.9"), (&owner, "hi-IN,hi;q=0.9,en;q=0.8")]
    {
        book(&caller.with("Accept-Language", accepted), &booking()).await;
        seen.push(language().await);
    }
    assert_eq!(seen, [None, None, Some("hi".to_owned())]);
    sqlx::query("update customers set language = 'en'").execute(&world.pool).await.unwrap();
    book(&owner.with("Accept-Language", "hi"), &booking_with(&json!({ "appointment_time": "12:00" }))).await;
    assert_eq!(language().await, Some("en".to_owned()), "what was chosen stays");
}

//! Reading bookings: the owner sees everything, a stranger sees no personal data.

use serde_json::{Value, json};
use shared::{
    database::{Database, MIGRATOR},
    throttle::Throttle,
};
use sqlx::PgPool;
use testing::Client;

use super::{app, book, booking, booking_with, shop};

/// The booking as a stranger sees it.
fn masked(mut detail: Value) -> Value {
    detail.as_object_mut().unwrap().remove("access_token");
    detail["customer"]["name"] = json!("J. D.");
    detail["customer"]["phone"] = json!("••••••••10");
    detail["customer"]["email"] = Value::Null;
    detail["address"] = json!("");
    (detail["notes"], detail["customer_notes"]) = (json!(""), json!(""));
    (detail["reference"], detail["customer"]["id"]) = (json!(""), json!(0));
    for moment in ["created_at", "updated_at"] {
        detail["customer"][moment] = detail[moment].clone();
    }
    detail
}

fn at_home() -> Value {
    booking_with(&json!({ "service_location": "home", "address": "221B Baker Street" }))
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_caller_without_a_valid_token_sees_a_masked_booking(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &at_home()).await;
    let other = book(&client, &booking()).await;
    let expected = json!({
        "error": false, "message": "Booking details retrieved successfully",
        "data": masked(booked.answer.body["data"].clone())
    });
    let long = "x".repeat(900);
    for stranger in [
        client.clone(),
        client.with("X-Booking-Token", "wrong"),
        client.with("X-Booking-Token", ""),
        client.with("X-Booking-Token", &other.token),
        client.with("X-Booking-Token", &long),
        client.with("X-Booking-Token", &booked.token.to_lowercase()),
    ] {
        let answer = stranger.get(&booked.path).await;
        assert_eq!((answer.status, &answer.body), (200, &expected));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let empty_header = client.with("X-Booking-Token", "");
    let own = empty_header.get(&format!("{}?token={}", booked.path, booked.token)).await;
    assert_eq!(own.body["data"]["customer"]["name"], "John Doe", "an empty header is no token");
    for query in ["?token=", "?token=wrong", &format!("?token={}", other.token)] {
        assert_eq!(client.get(&format!("{}{query}", booked.path)).await.body, expected, "{query}");
    }
    sqlx::query("update bookings set access_token_expires_at = now()").execute(&pool).await.unwrap();
    assert_eq!(booked.owner(&client).get(&booked.path).await.body, expected, "the token has expired");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_token_is_accepted_in_the_query_and_in_the_header(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &at_home()).await;
    let mut expected = booked.answer.body["data"].clone();
    expected.as_object_mut().unwrap().remove("access_token");
    let old_path = booked.path.replace("/api/bookings/", "/api/bookings/bookings/");
    for answer in [
        booked.owner(&client).get(&booked.path).await,
        client.get(&format!("{}?token={}", booked.path, booked.token)).await,
        client.get(&format!("{}?token={}", old_path.trim_end_matches('/'), booked.token)).await,
    ] {
        assert_eq!(answer.body["data"], expected);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_of_a_phone_are_listed_masked_and_newest_first_for_any_spelling(pool: PgPool) {
    let client = shop(&pool).await;
    let first = book(&client, &at_home()).await;
    let second = book(&client, &booking()).await;
    book(&client, &booking_with(&json!({ "customer_phone": "9876543211" }))).await;
    let expected = json!({
        "error": false, "message": "Booking history retrieved successfully",
        "data": [masked(second.answer.body["data"].clone()), masked(first.answer.body["data"].clone())]
    });
    for spelling in ["9876543210", "%2B919876543210", "+91%2098765%2043210", "098765-43210"] {
        assert_eq!(client.get(&format!("/api/bookings/?phone={spelling}")).await.body, expected, "{spelling}");
    }
    // The list stays masked even with the token of one of its bookings.
    assert_eq!(second.owner(&client).get("/api/bookings/bookings?phone=9876543210").await.body, expected);

    let page = client.get("/api/bookings/?phone=9876543210&page=2&page_size=1").await.body;
    assert_eq!(page["data"], json!([masked(first.answer.body["data"].clone())]));
    assert_eq!((&page["count"], &page["next"]), (&json!(2), &Value::Null));
    assert_eq!(page["previous"], "/api/bookings/?phone=9876543210&page=1&page_size=1");

    let unknown = client.get("/api/bookings/?phone=9876543299").await;
    assert_eq!(unknown.status, 200);
    assert_eq!(
        unknown.body,
        json!({ "error": false, "message": "No bookings found for this phone number", "data": [] })
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_needs_a_phone_and_is_never_longer_than_500(pool: PgPool) {
    let client = shop(&pool).await;
    let missing = client.get("/api/bookings/").await;
    assert_eq!((missing.status, &missing.body["details"]), (400, &json!({ "phone": ["This field is required."] })));
    let both = client.get("/api/bookings/?page=0").await;
    assert_eq!(
        both.body["details"],
        json!({ "page": ["Ensure this value is greater than or equal to 1."], "phone": ["This field is required."] })
    );
    let wrong = client.get("/api/bookings/?phone=1234").await;
    assert_eq!(wrong.body["details"], json!({ "phone": ["Enter a valid phone number."] }));

    book(&client, &booking()).await;
    sqlx::raw_sql(
        "begin;
        insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
            payment_method, access_token_sha256, access_token_expires_at)
        select 'R' || n, customer_id, customer_name, vehicle_model_id, service_location, appointment_date,
            appointment_time, occupied_minutes, slot_times, duration_minutes, 1, payment_method, access_token_sha256,
            access_token_expires_at
        from bookings, generate_series(1, 600) n where bookings.id = 1;
        insert into booking_services (booking_id, service_id, price_paise) select id, 4, 1 from bookings where id > 1;
        commit",
    )
    .execute(&pool)
    .await
    .unwrap();
    let all = client.get("/api/bookings/?phone=9876543210").await;
    assert_eq!(all.body["data"].as_array().unwrap().len(), 500);
    let page = client.get("/api/bookings/?phone=9876543210&page_size=100&page=7").await.body;
    assert_eq!((page["data"].as_array().unwrap().len(), &page["count"]), (1, &json!(601)));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_credential_is_refused_on_every_route(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let body = json!({ "appointment_date": "2099-01-01", "appointment_time": "10:00" }).to_string();
    let json_client = client.with("Content-Type", "application/json").with("X-Booking-Token", &booked.token);
    let forged = [
        ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.", 401, "TOKEN_INVALID"),
        ("Authorization", "bearer x", 401, "TOKEN_INVALID"),
        ("X-Session-Token", "x", 401, "TOKEN_INVALID"),
        ("X-API-Key", "local-staff-key", 403, "API_KEY_INVALID"),
    ];
    let routes = [
        ("GET", "/api/bookings/?phone=9876543210".to_owned()),
        ("POST", "/api/bookings/".to_owned()),
        ("GET", booked.path.clone()),
        ("PATCH", booked.path.clone()),
        ("POST", format!("{}cancel/", booked.path)),
        ("GET", format!("{}timeline/", booked.path)),
    ];
    for (header, value, status, code) in forged {
        for (method, path) in &routes {
            let answer = json_client.with(header, value).send(method, path, Some(&body)).await;
            assert_eq!((answer.status, &answer.body["code"]), (status, &json!(code)), "{method} {path} {header}");
            assert_eq!(answer.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
        }
        // Free slots ignore credentials.
        let slots = client
            .with(header, value)
            .get(&format!("/api/slots/?date={}&service_location=shop", super::monday()))
            .await;
        assert_eq!(slots.status, 200);
    }
    assert_eq!(booked.owner(&client).get(&booked.path).await.body["data"]["booking_status"], "pending");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unknown_booking_is_a_404(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let owner = booked.owner(&client);
    let appointment = json!({ "appointment_date": super::monday(), "appointment_time": "11:00" });
    for id in ["999", "x", "0", "-1", "1.0", "99999999999999999999", "cancel"] {
        let path = format!("/api/bookings/{id}/");
        assert_eq!(client.get(&path).await.status, 404, "{id}");
        assert_eq!(owner.get(&path).await.status, 404, "{id}");
        assert_eq!(owner.patch(&path, &appointment).await.status, 404, "{id}");
        assert_eq!(owner.post(&format!("{path}cancel/"), &json!({})).await.status, 404, "{id}");
        assert_eq!(owner.get(&format!("{path}timeline/")).await.status, 404, "{id}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn reads_without_a_valid_token_are_rate_limited_and_the_owner_s_are_not(pool: PgPool) {
    let redis = testing::redis();
    testing::import_catalogue(&pool, &redis).await;
    let database = Database::from(pool);
    let client = Client::new(bookings::router(app(&database, Throttle::new(redis, true))), database);
    let booked = book(&client, &booking()).await;
    for turn in 0..30 {
        let stranger = if turn % 2 == 0 { client.clone() } else { client.with("X-Booking-Token", "guess") };
        let path = if turn % 3 == 0 { "/api/bookings/?phone=9876543210" } else { &booked.path };
        assert_eq!(stranger.get(path).await.status, 200);
    }
    for stranger in [client.clone(), client.with("X-Booking-Token", "guess")] {
        let refused = stranger.get(&booked.path).await;
        assert_eq!((refused.status, &refused.body["code"]), (429, &json!("THROTTLED")));
    }
    assert_eq!(client.get("/api/bookings/?phone=9876543210").await.status, 429);
    assert_eq!(booked.owner(&client).get(&booked.path).await.status, 200);
    assert_eq!(client.at("198.51.100.1").get(&booked.path).await.status, 200);
    let staff = client.with("X-API-Key", testing::STAFF_KEY);
    assert_eq!(
        staff.get(&booked.path).await.body["data"]["customer"]["name"],
        "John Doe",
        "nor are those of the staff"
    );
}

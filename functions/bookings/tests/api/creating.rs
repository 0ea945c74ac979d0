//! Creating a booking: the answer to a valid request.

use chrono::Weekday;
use serde_json::{Value, json};
use shared::bookings::plan::OnlinePayment;
use shared::{
    database::{Database, MIGRATOR},
    throttle::Throttle,
};
use sqlx::PgPool;
use testing::{Client, Fault, Network, timeless};

use super::{App, app, book, booking, booking_with, monday, shop};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_booking_is_returned_with_its_price_and_token(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking_with(&json!({ "service_ids": [6, 4] }))).await;
    let data = &booked.answer.body["data"];
    let prices: Vec<i64> = sqlx::query_scalar(
        "select price_paise from service_prices where vehicle_model_id = 7 and service_id in (4, 6) order by service_id desc",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let rupees = |paise: i64| format!("{}.{:02}", paise / 100, paise % 100);
    let line = |place: usize, service: i64, name: &str| {
        json!({
            "id": data["booking_services"][place]["id"], "service": service, "service_name": name,
            "category_name": "Engine", "price": rupees(prices[place]), "created_at": "<moment>"
        })
    };
    assert_eq!(
        timeless(booked.answer.body.clone()),
        json!({ "error": false, "message": "Booking created successfully", "data": {
            "id": data["id"], "reference": data["reference"],
            "customer": {
                "id": data["customer"]["id"], "name": "John Doe", "phone": "+919876543210", "email": "john@example.com",
                "created_at": "<moment>", "updated_at": "<moment>"
            },
            "vehicle_model": 7, "vehicle_model_name": "Activa 6G", "vehicle_brand_name": "Honda",
            "vehicle_type_name": "Scooter", "service_location": "shop", "address": "", "appointment_date": monday(),
            "appointment_time": "10:00:00", "total_amount": rupees(prices.iter().sum()), "payment_method": "cash",
            "payment_status": "pending", "booking_status": "pending", "notes": "Noisy",
            "customer_notes": "Noisy", "booking_parts": [], "mechanic_id": null, "mechanic_name": null, "version": 1,
            "booking_services": [line(0, 6, "Air Filter Replacement"), line(1, 4, "Engine Oil Change")],
            "created_at": "<moment>", "updated_at": "<moment>", "access_token": booked.token
        } })
    );
    assert_eq!(booked.answer.header("cache-control"), "no-store");
    // 256 bits in base64url.
    assert_eq!(booked.token.len(), 43);
    let mut own = booked.owner(&client).get(&booked.path).await.body;
    own["message"] = json!("Booking created successfully");
    own["data"]["access_token"] = json!(booked.token);
    assert_eq!(own, booked.answer.body, "what is read later is what was answered");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_writes_an_outbox_message_and_stores_only_its_token_s_hash(pool: PgPool) {
    let client = shop(&pool).await;
    let booked = book(&client, &booking()).await;
    let outbox: Vec<(String, Value)> =
        sqlx::query_as("select kind, payload from outbox").fetch_all(&pool).await.unwrap();
    assert_eq!(outbox, [("booking_created".to_owned(), json!({ "booking_id": booked.answer.body["data"]["id"] }))]);
    let found: i64 = sqlx::query_scalar("select count(*) from bookings b where b::text like '%' || $1 || '%'")
        .bind(&booked.token)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(found, 0);
    let expires: (bool,) = sqlx::query_as(
        "select access_token_expires_at = (appointment_date + appointment_time) at time zone 'Asia/Kolkata' + interval '30 days' from bookings",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert!(expires.0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn missing_optional_fields_and_loose_spellings_are_accepted(pool: PgPool) {
    let client = shop(&pool).await;
    for changes in [
        json!({ "customer_email": null, "notes": null, "address": null }),
        json!({ "customer_email": "" }),
        json!({ "vehicle_model_id": "7", "service_ids": ["4"], "appointment_time": "11:00" }),
        json!({ "customer_phone": 9_876_543_210_i64, "customer_name": "  John Doe  ", "appointment_time": "12:00" }),
        json!({ "customer_phone": "098765-43210", "unknown": { "key": [1] }, "appointment_time": "13:00" }),
    ] {
        let body = book(&client, &booking_with(&changes)).await.answer.body;
        assert_eq!(body["data"]["customer"]["phone"], "+919876543210", "{changes}");
        assert_eq!(body["data"]["customer"]["name"], "John Doe", "{changes}");
        assert_eq!(body["data"]["customer"]["id"], 1, "{changes}");
    }
    let mut nulls = booking_with(&json!({ "appointment_time": "14:00" }));
    nulls["customer_email"] = Value::Null;
    nulls["notes"] = Value::Null;
    assert_eq!(book(&client, &nulls).await.answer.body["data"]["customer"]["email"], Value::Null);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_anonymous_booking_neither_shows_nor_changes_the_stored_customer(pool: PgPool) {
    let client = shop(&pool).await;
    let first = book(&client, &booking()).await;
    let changes = json!({ "customer_name": "Mallory", "customer_email": "m@example.com", "appointment_time": "11:00" });
    let second = book(&client, &booking_with(&changes)).await;
    assert_eq!(second.answer.body["data"]["customer"]["name"], "Mallory");
    assert!(!second.answer.text.contains("john@example.com") && !second.answer.text.contains("John Doe"));
    let shown = first.owner(&client).get(&first.path).await;
    assert_eq!(shown.body["data"]["customer"], first.answer.body["data"]["customer"]);
    assert_eq!(first.answer.body["data"]["customer"]["id"], second.answer.body["data"]["customer"]["id"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_price_comes_from_the_database_and_stays_with_the_booking(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::query("update service_prices set price_paise = 115 where vehicle_model_id = 7 and service_id = 4")
        .execute(&pool)
        .await
        .unwrap();
    let cheap = booking_with(&json!({ "total_amount": "0.01", "price": 1 }));
    let booked = book(&client, &cheap).await;
    assert_eq!(booked.answer.body["data"]["total_amount"], "1.15");
    sqlx::query("update service_prices set price_paise = 999900 where vehicle_model_id = 7")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(booked.owner(&client).get(&booked.path).await.body["data"]["total_amount"], "1.15");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn razorpay_may_be_chosen_while_payments_are_enabled(pool: PgPool) {
    testing::import_catalogue(&pool, &testing::redis()).await;
    let database = Database::from(pool);
    let app = App { online: OnlinePayment::Enabled, ..app(&database, testing::no_throttle(&testing::redis())) };
    let client = Client::new(bookings::router(app), database);
    let booked = book(&client, &booking_with(&json!({ "payment_method": "razorpay" }))).await;
    assert_eq!(booked.answer.body["data"]["payment_method"], "razorpay");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_are_rate_limited_by_ip_address_and_by_phone(pool: PgPool) {
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    let redis = testing::redis_at(&url, &testing::random_prefix());
    testing::import_catalogue(&pool, &redis).await;
    let database = Database::from(pool.clone());
    let client = Client::new(bookings::router(app(&database, Throttle::new(redis, true))), database);

    // An invalid form, a closed day and a full slot do not count against the limit of ten a minute.
    let tuesday = booking_with(&json!({ "appointment_date": testing::next(Weekday::Tue) }));
    for body in [&json!({}), &tuesday] {
        for _ in 0..11 {
            assert_eq!(client.post("/api/bookings/", body).await.status, 400);
        }
    }
    sqlx::query("update shops set shop_capacity = 0").execute(&pool).await.unwrap();
    for _ in 0..11 {
        assert_eq!(client.post("/api/bookings/", &booking()).await.status, 409);
    }
    sqlx::query("update shops set shop_capacity = 1000").execute(&pool).await.unwrap();
    for turn in 0..10 {
        let phone = json!({ "customer_phone": format!("987654320{turn}") });
        book(&client, &booking_with(&phone)).await;
    }
    let refused = client.post("/api/bookings/", &booking_with(&json!({ "customer_phone": "9876543299" }))).await;
    assert_eq!((refused.status, &refused.body["code"]), (429, &json!("THROTTLED")));
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()));

    for turn in 0..10 {
        book(&client.at(&format!("198.51.100.{turn}")), &booking()).await;
    }
    let refused = client
        .at("198.51.100.99")
        .post("/api/bookings/", &booking_with(&json!({ "customer_phone": "+91 98765 43210" })))
        .await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 60);

    network.set(Fault::Stopped);
    assert_eq!(client.post("/api/bookings/", &booking()).await.status, 201, "without Redis the request passes");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn texts_are_kept_in_one_form_and_numbers_without_decoration(pool: PgPool) {
    let client = shop(&pool).await;
    let body = booking_with(&json!({
        "customer_name": " \u{95b}oya Jose\u{301} ", "customer_phone": "\u{202a}+91 98765 43210\u{202c}",
        "address": "12 Main St\r\nIndiranagar", "notes": "Ring twice.\rThen wait."
    }));
    let booked = client.post("/api/bookings/", &body).await;
    assert_eq!(booked.status, 201, "{}", booked.text);
    let data = &booked.body["data"];
    let customer = [&data["customer"]["name"], &data["customer"]["phone"]];
    assert_eq!(customer, ["\u{91c}\u{93c}oya Jos\u{e9}", "+919876543210"]);
    assert_eq!([&data["address"], &data["notes"]], ["12 Main St\nIndiranagar", "Ring twice.\nThen wait."]);
    for query in ["phone=+919876543210", "phone=%E2%80%AA+91+98765+43210%E2%80%AC", "phone=98765%E2%80%9143210"] {
        let listed = client.get(&format!("/api/bookings/?{query}")).await;
        assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(1), "{query}: {}", listed.text);
    }
    let other = client.get("/api/bookings/?phone=+6598765432").await;
    assert_eq!((other.status, &other.body["data"]), (200, &json!([])), "not the Indian number of the same digits");
    for query in ["phone=+919876543210.0", "phone=919876543210.0"] {
        assert_eq!(client.get(&format!("/api/bookings/?{query}")).await.status, 400, "{query}");
    }
}

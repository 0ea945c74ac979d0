//! Creating a booking: the errors of an invalid request.

use chrono::Weekday;
use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{booking, booking_with, count, monday, shop};

const CONTROL: &str = "This field may not contain control characters.";

#[sqlx::test(migrator = "MIGRATOR")]
async fn all_invalid_fields_are_reported_at_once(pool: PgPool) {
    let client = shop(&pool).await;
    let empty = client.post("/api/bookings/", &json!({})).await;
    let required = json!(["This field is required."]);
    assert_eq!(empty.status, 400);
    assert_eq!(
        empty.body["details"],
        json!({
            "customer_name": required, "customer_phone": required, "vehicle_model_id": required,
            "service_ids": required, "service_location": required, "appointment_date": required,
            "appointment_time": required
        })
    );
    let wrong = client
        .post(
            "/api/bookings/",
            &json!({
                "customer_name": " ", "customer_phone": "12345", "customer_email": "john@", "vehicle_model_id": 9999,
                "service_ids": [4, 777], "service_location": "moon", "appointment_date": "2020-01-01",
                "appointment_time": "10:00", "payment_method": "razorpay", "notes": "x".repeat(1001)
            }),
        )
        .await;
    assert_eq!(wrong.status, 400);
    assert_eq!(
        wrong.body,
        json!({
            "error": true, "status_code": 400, "code": "VALIDATION_ERROR",
            "message": wrong.body["message"], "detail": wrong.body["message"],
            "details": {
                "customer_name": ["This field may not be blank."],
                "customer_phone": ["Enter a valid phone number."],
                "customer_email": ["Enter a valid email address."],
                "vehicle_model_id": ["Invalid pk \"9999\" - object does not exist."],
                "service_ids": ["Invalid pk \"777\" - object does not exist."],
                "service_location": ["\"moon\" is not a valid choice."],
                "appointment_date": ["The appointment cannot be in the past."],
                "payment_method": ["Razorpay payment is currently disabled. Please use cash payment."],
                "notes": ["Ensure this field has no more than 1000 characters."]
            }
        })
    );
    assert_eq!(count(&pool, "bookings").await + count(&pool, "customers").await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_broken_rule_is_reported_under_the_field_to_fix(pool: PgPool) {
    let client = shop(&pool).await;
    let electric: i64 = sqlx::query_scalar("select min(id) from vehicle_models where fuel = 'electric'")
        .fetch_one(&pool)
        .await
        .unwrap();
    let tuesday = testing::next(Weekday::Tue);
    let far = tuesday + chrono::Days::new(400);
    for (changes, field, sentence) in [
        (json!({ "service_location": "home" }), "address", "This field is required."),
        (json!({ "service_location": "home", "address": "  " }), "address", "This field is required."),
        (json!({ "service_ids": [] }), "service_ids", "This list may not be empty."),
        (json!({ "service_ids": [4, 4] }), "service_ids", "This list may not contain duplicates."),
        (json!({ "service_ids": "4" }), "service_ids", "Expected a list of items but got type \"str\"."),
        (
            json!({ "service_ids": (1..=21).collect::<Vec<_>>() }),
            "service_ids",
            "Ensure this field has no more than 20 elements.",
        ),
        (
            json!({ "vehicle_model_id": electric }),
            "service_ids",
            "Engine Oil Change is not offered for this vehicle model.",
        ),
        (json!({ "vehicle_model_id": "seven" }), "vehicle_model_id", "A valid integer is required."),
        (
            json!({ "customer_name": "x".repeat(101) }),
            "customer_name",
            "Ensure this field has no more than 100 characters.",
        ),
        (json!({ "customer_name": "a\u{0}b" }), "customer_name", "Null characters are not allowed."),
        (json!({ "customer_name": ["John"] }), "customer_name", "Not a valid string."),
        (json!({ "customer_name": "\u{1b}[31mJohn" }), "customer_name", CONTROL),
        (json!({ "customer_name": "John\r\nDoe" }), "customer_name", CONTROL),
        (json!({ "customer_name": "John\u{202e}Doe" }), "customer_name", CONTROL),
        (json!({ "customer_name": "\u{200b}" }), "customer_name", "This field may not be blank."),
        (json!({ "notes": "Ring\u{7}" }), "notes", CONTROL),
        (json!({ "address": "\u{2066}12 Main St" }), "address", CONTROL),
        (json!({ "customer_email": "john@example.c" }), "customer_email", "Enter a valid email address."),
        (json!({ "customer_phone": "+919876543210.0" }), "customer_phone", "Enter a valid phone number."),
        (json!({ "customer_phone": "+915876543210" }), "customer_phone", "Enter a valid phone number."),
        (json!({ "payment_method": "gold" }), "payment_method", "\"gold\" is not a valid choice."),
        (
            json!({ "appointment_date": "01-11-2025" }),
            "appointment_date",
            "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
        ),
        (json!({ "appointment_date": tuesday }), "appointment_date", "The shop is closed on this day."),
        (json!({ "appointment_date": far }), "appointment_date", "Bookings are taken up to 60 days ahead."),
        (
            json!({ "appointment_time": "noon" }),
            "appointment_time",
            "Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]].",
        ),
        (json!({ "appointment_time": "10:30" }), "appointment_time", "Appointments start every 60 minutes from 09:00."),
        (
            json!({ "appointment_time": "08:00" }),
            "appointment_time",
            "The shop is open from 09:00 to 19:00 on this day.",
        ),
        (
            json!({ "appointment_time": "18:00", "service_ids": [2] }),
            "appointment_time",
            "The work takes 150 minutes and would not be done by closing time.",
        ),
    ] {
        let refused = client.post("/api/bookings/", &booking_with(&changes)).await;
        assert_eq!(refused.status, 400, "{changes}");
        assert_eq!(refused.body["details"], json!({ field: [sentence] }), "{changes}");
    }
    sqlx::query("insert into holidays (shop_id, date, name) values (1, $1, 'Holi')")
        .bind(monday())
        .execute(&pool)
        .await
        .unwrap();
    let holiday = client.post("/api/bookings/", &booking()).await;
    assert_eq!(holiday.body["details"], json!({ "appointment_date": ["The shop is closed on this day."] }));
    assert_eq!(count(&pool, "bookings").await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_body_that_is_not_a_json_object_is_refused_with_the_contract_s_error(pool: PgPool) {
    let client = shop(&pool).await;
    let json_client = client.with("Content-Type", "application/json; charset=utf-8");
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (body, code) in [
        ("{", "PARSE_ERROR"),
        ("nonsense", "PARSE_ERROR"),
        ("{\"a\": \"\\ud800\"}", "PARSE_ERROR"),
        (deep.as_str(), "PARSE_ERROR"),
        ("[1]", "VALIDATION_ERROR"),
        ("null", "VALIDATION_ERROR"),
        ("\"text\"", "VALIDATION_ERROR"),
    ] {
        let refused = json_client.send("POST", "/api/bookings/", Some(body)).await;
        assert_eq!((refused.status, &refused.body["code"]), (400, &json!(code)), "{}", &body[..body.len().min(40)]);
    }
    let list = json_client.send("POST", "/api/bookings/", Some("[1]")).await;
    let sentence = "Invalid data. Expected a dictionary, but got list.";
    assert_eq!(list.body["details"], json!({ "non_field_errors": [sentence] }));

    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let refused = client.with("Content-Type", content_type).send("POST", "/api/bookings/", Some("{}")).await;
        assert_eq!((refused.status, &refused.body["code"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")));
    }
    let large = booking_with(&json!({ "notes": "x".repeat(65 * 1024) }));
    assert_eq!(client.post("/api/bookings/", &large).await.status, 413);
    assert_eq!(json_client.send("POST", "/api/bookings/", None).await.status, 400);
}

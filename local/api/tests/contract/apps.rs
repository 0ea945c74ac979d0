//! The calls of the published customer and staff apps, with the bodies, headers and queries that they send.

use chrono::Weekday;
use razorpay_stand_in::Outcome;
use serde_json::{Value, json};
use sqlx::PgPool;
use testing::Answer;

use crate::world::{STAFF, World};

const EMAIL: &str = "user@example.com";
const PASSWORD: &str = "securepassword123";
/// The customer app names each device, signed in or not.
const GUEST: (&str, &str) = ("X-Guest-ID", "guest_1764300000000_k3j9x2");

async fn ok(world: &World, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Value {
    let answer = world.ask(method, path, headers, body).await;
    assert!(answer.status < 300, "{method} {path}: {}", answer.text);
    answer.body
}

fn said(body: &Value) -> &str {
    body["message"].as_str().unwrap()
}

/// The body with which the customer app books.
fn order(day: &str, key: &str) -> Value {
    json!({
        "customer_name": "John Doe", "customer_phone": "98765 43210", "customer_email": "john@example.com",
        "vehicle_model_id": 7, "service_ids": [4, 6], "service_location": "home", "address": "123 Main St",
        "appointment_date": day, "appointment_time": "10:00:00", "notes": "Optional notes", "idempotency_key": key
    })
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_customer_app_chooses_books_pays_and_looks_back(pool: PgPool) {
    let world = World::new(pool).await;
    let day = testing::next(Weekday::Wed).to_string();
    for (path, message) in [
        ("/api/vehicles/vehicle-types/?page=1", "Vehicle types retrieved successfully"),
        ("/api/vehicles/vehicle-brands/?vehicle_type=1&page=1", "Vehicle brands retrieved successfully"),
        ("/api/vehicles/vehicle-models/?vehicle_brand=2&page=1", "Vehicle models retrieved successfully"),
        ("/api/services/service-categories/?page=1", "Service categories retrieved successfully"),
        ("/api/services/services/?vehicle_model_id=7&category=2", "Services retrieved successfully"),
        ("/api/services/service-pricing/by-vehicle/?vehicle_model_id=7", "Service pricing retrieved successfully"),
        ("/api/shop/shop-info/", "Shop information retrieved successfully"),
    ] {
        let body = ok(&world, "GET", path, &[GUEST], None).await;
        assert!(!body["data"].as_array().unwrap().is_empty() && body.get("count").is_none(), "{path}");
        if !path.contains("shop") {
            assert_eq!(said(&body), message);
        }
    }
    // A retry on a lost network repeats the body; the app has no header for the key.
    let first = world.ask("POST", "/api/bookings/bookings/", &[GUEST], Some(order(&day, "order-1"))).await;
    let again = world.ask("POST", "/api/bookings/bookings/", &[GUEST], Some(order(&day, "order-1"))).await;
    assert_eq!((first.status, said(&first.body)), (201, "Booking created successfully"), "{}", first.text);
    assert_eq!((again.status, &again.text), (201, &first.text));
    let booking = &first.body["data"];
    assert_eq!((&booking["payment_method"], &booking["booking_parts"]), (&json!("cash"), &json!([])));
    let (id, token) = (booking["id"].as_i64().unwrap(), booking["access_token"].as_str().unwrap());

    let history = ok(&world, "GET", "/api/bookings/?phone=9876543210&page=1", &[GUEST], None).await;
    assert_eq!(said(&history), "Booking history retrieved successfully");
    assert_eq!(history["data"].as_array().unwrap().len(), 1, "booked once");
    let whole = ok(&world, "GET", &format!("/api/bookings/{id}/?token={token}"), &[GUEST], None).await;
    assert_eq!(said(&whole), "Booking details retrieved successfully");
    assert_eq!(
        (&whole["data"]["customer"]["name"], &whole["data"]["customer_notes"]),
        (&json!("John Doe"), &whole["data"]["notes"])
    );

    let path = "/api/payments/payments/razorpay/create-order/";
    let order = ok(&world, "POST", path, &[GUEST], Some(json!({ "booking_id": id }))).await;
    let paid = world.razorpay.checkout(order["data"]["order_id"].as_str().unwrap(), Outcome::Captured);
    let proof = json!({
        "razorpay_order_id": paid.order_id, "razorpay_payment_id": paid.payment_id,
        "razorpay_signature": paid.signature
    });
    let verified = ok(&world, "POST", "/api/payments/payments/razorpay/verify/", &[GUEST], Some(proof)).await;
    assert_eq!(verified["data"], json!({ "booking_id": id, "payment_status": "completed" }));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_customer_app_signs_in_by_number_and_out(pool: PgPool) {
    let world = World::new(pool).await;
    let sent =
        ok(&world, "POST", "/api/auth/otp/request/", &[GUEST], Some(json!({ "identifier": "98765 43210" }))).await;
    assert_eq!((&sent["identifier"], &sent["method"]), (&json!("+919876543210"), &json!("phone")));
    let code = world.code("+919876543210");
    let code = format!("{} {}", &code[..3], &code[3..]);
    let proof = json!({ "identifier": "9876543210", "otp_code": code });
    let signed_in = ok(&world, "POST", "/api/auth/otp/verify/", &[GUEST], Some(proof)).await;
    assert_eq!((&signed_in["user"]["username"], &signed_in["method"]), (&json!("user_1"), &json!("phone")));
    let bearer = format!("Bearer {}", signed_in["session_token"].as_str().unwrap());
    let session = [GUEST, ("Authorization", bearer.as_str())];
    ok(&world, "GET", "/api/auth/profile/", &session, None).await;
    let refresh = json!({ "refresh": signed_in["refresh_token"] });
    ok(&world, "POST", "/api/auth/token/refresh/", &[GUEST], Some(refresh)).await;
    let refresh_token = json!({ "refresh_token": signed_in["refresh_token"] });
    for headers in [&[GUEST][..], &session] {
        let out = ok(&world, "POST", "/api/auth/logout/", headers, Some(refresh_token.clone())).await;
        assert_eq!(said(&out), "Logout successful");
    }
    // The apps show `error` first.
    let wrong = json!({ "email": EMAIL, "password": PASSWORD });
    let refused = world.ask("POST", "/api/auth/login/", &[GUEST], Some(wrong)).await;
    assert_eq!((refused.status, &refused.body["error"]), (401, &refused.body["message"]));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_staff_app_finds_changes_and_collects(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let day = testing::next(Weekday::Wed).to_string();
    let key = &[STAFF[0]];
    let booked = ok(&world, "POST", "/api/bookings/", &[GUEST], Some(order(&day, "order-2"))).await["data"].clone();
    let id = booked["id"].as_i64().unwrap();
    let reference = booked["reference"].as_str().unwrap().to_lowercase().replace('-', "");
    for query in [
        "page=1".to_owned(),
        "page=1&limit=10&ordering=-created_at".to_owned(),
        format!("page=1&date={day}&status=pending&payment_method=cash&payment_status=pending"),
        "page=1&search=john".to_owned(),
        "page=1&search=98765".to_owned(),
        format!("page=1&search={reference}"),
        format!("page=1&search={id}"),
    ] {
        for path in ["/api/staff/bookings/", "/api/staff/staff/bookings/"] {
            let found = ok(&world, "GET", &format!("{path}?{query}"), key, None).await;
            assert_eq!((&found["count"], found.get("next")), (&json!(1), None), "{query}");
            let shown = &found["data"][0];
            for name in ["booking_parts", "mechanic_id", "mechanic_name", "customer_notes", "internal_notes", "source"]
            {
                assert!(shown.get(name).is_some(), "{name}");
            }
        }
    }
    let path = format!("/api/staff/bookings/{id}/");
    let noted = json!({ "internal_notes": "Bring the long ladder" });
    assert_eq!(ok(&world, "PATCH", &path, key, Some(noted)).await["data"]["internal_notes"], "Bring the long ladder");
    let confirmed = json!({ "status": "confirmed", "notes": "Called back" });
    let body = ok(&world, "PATCH", &format!("{path}update-status/"), key, Some(confirmed)).await;
    assert_eq!(said(&body), "Booking status updated to confirmed");
    let reason: String = sqlx::query_scalar("select reason from booking_events where booking_id = $1 order by id desc")
        .bind(id)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(reason, "Called back");
    let cash = json!({ "booking_id": id, "amount": booked["total_amount"] });
    let collected = ok(&world, "POST", "/api/staff/payments/collect/", key, Some(cash.clone())).await;
    assert_eq!(collected["data"]["payment_status"], "completed");
    let again: Answer = world.ask("POST", "/api/staff/payments/collect/", key, Some(cash)).await;
    assert_eq!((again.status, &again.body["code"]), (409, &json!("ALREADY_PAID")));
    let statistics = ok(&world, "GET", "/api/staff/bookings/stats/", key, None).await;
    assert_eq!(said(&statistics), "Statistics retrieved successfully");
    assert_eq!(said(&ok(&world, "GET", &path, key, None).await), "Booking details retrieved successfully");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_staff_app_signs_in_with_a_password(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let person = json!({ "email": EMAIL, "password": PASSWORD, "first_name": "John", "last_name": "Doe" });
    ok(&world, "POST", "/api/auth/register/", &[], Some(person)).await;
    testing::prove_identities(&pool).await;
    let path = "/api/auth/staff/login/password/";
    let login = json!({ "identifier": EMAIL, "password": PASSWORD });
    assert_eq!(world.ask("POST", path, &[], Some(login.clone())).await.status, 403);
    world.descope.set_roles(EMAIL, &["admin"]);
    let signed_in = ok(&world, "POST", path, &[], Some(login)).await;
    let user = &signed_in["user"];
    assert_eq!(json!([user["is_manager"], user["role"], user["name"]]), json!([true, "admin", "John Doe"]));
    let bearer = format!("Bearer {}", signed_in["session_token"].as_str().unwrap());
    ok(&world, "GET", "/api/staff/bookings/?page=1", &[("Authorization", bearer.as_str())], None).await;
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_paths_of_older_clients_name_the_paths_to_call_instead(pool: PgPool) {
    let world = World::new(pool).await;
    for (old, present) in [
        ("/api/vehicles/vehicle-types/", "/api/vehicle-types/"),
        ("/api/vehicles/vehicle-models/7?page=1", "/api/vehicle-models/7/"),
        ("/api/services/service-pricing/by-vehicle/?vehicle_model_id=7", "/api/service-pricing/by-vehicle/"),
        ("/api/shop/shop-info", "/api/shop-info/"),
        ("/api/bookings/bookings/1/", "/api/bookings/1/"),
        ("/api/staff/staff/bookings/", "/api/staff/bookings/"),
    ] {
        let answer = world.ask("GET", old, &[], None).await;
        let link = format!("<{present}>; rel=\"successor-version\"");
        assert_eq!((answer.header("deprecation"), answer.header("link")), ("@1795910400", link.as_str()), "{old}");
        let query = old.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
        let same = world.ask("GET", &format!("{present}{query}"), &[], None).await;
        assert_eq!((same.header("deprecation"), same.header("link")), ("", ""), "{present}");
        assert_eq!((same.status, &same.body["message"]), (answer.status, &answer.body["message"]), "{old}");
    }
    let unknown = json!({ "razorpay_order_id": "o", "razorpay_payment_id": "p", "razorpay_signature": "s" });
    let verified = world.ask("POST", "/api/payments/payments/razorpay/verify/", &[], Some(unknown)).await;
    assert_eq!(verified.header("link"), "</api/payments/razorpay/verify/>; rel=\"successor-version\"");
}

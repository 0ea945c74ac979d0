//! One customer and the shop use every operation once.

use std::collections::BTreeSet;

use chrono::Weekday;
use razorpay_stand_in::Outcome;
use serde_json::{Value, json};
use shared::{error::Code, http::ErrorBody};
use sqlx::PgPool;
use utoipa::PartialSchema;

use crate::world::{STAFF, With, World};

const EMAIL: &str = "user@example.com";
const PHONE: &str = "+919876543210";

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn every_operation_accepts_and_returns_what_is_documented(pool: PgPool) {
    let world = World::new(pool).await;
    browse(&world).await;
    let bearer = sign_in(&world).await;
    shop(&world, &bearer).await;
    leave(&world, &bearer).await;
    assert_eq!(world.forgotten(), ["docs", "docs_file", "schema"], "files");
}

async fn browse(world: &World) {
    for id in
        ["home", "health", "ready", "list_vehicle_types", "list_service_categories", "list_services", "list_shops"]
    {
        world.call(id, With::default()).await;
    }
    world.call("list_vehicle_brands", With { query: "?vehicle_type=1", ..With::default() }).await;
    world.call("list_vehicle_models", With { query: "?vehicle_brand=2&page=1", ..With::default() }).await;
    world.call("list_service_prices", With { query: "?vehicle_model_id=7", ..With::default() }).await;
    for id in ["show_vehicle_type", "show_vehicle_brand", "show_vehicle_model", "show_service_category", "show_service"]
    {
        world.call(id, With { id: 1, ..With::default() }).await;
    }
}

/// Registers, resets the password, proves address and number; returns an `Authorization` header.
async fn sign_in(world: &World) -> String {
    let registered = world.call("register", With::default()).await;
    world.call("login", With::default()).await;
    world.call("request_password_reset", With::default()).await;
    let values = json!({ "token": world.link(EMAIL) });
    world.call("confirm_password_reset", With { values, ..With::default() }).await;
    assert_eq!(text(&registered.body["user"], "email"), EMAIL);
    world.call("request_otp", With::default()).await;
    let values = json!({ "otp_code": world.code(EMAIL) });
    let signed_in = world.call("verify_otp", With { values, ..With::default() }).await;
    let bearer = format!("Bearer {}", text(&signed_in.body, "session_token"));
    let session = [("Authorization", bearer.as_str())];
    world.call("request_phone_otp", With::default()).await;
    let values = json!({ "otp_code": world.code(PHONE) });
    world.call("verify_phone_otp", With { values, headers: &session, ..With::default() }).await;
    world.call("resend_phone_otp", With::default()).await;
    let values = json!({ "otp_code": world.code(PHONE) });
    world.call("login_by_phone", With { values, ..With::default() }).await;
    for id in ["show_phone_verification", "show_profile", "list_sessions"] {
        world.call(id, With { headers: &session, ..With::default() }).await;
    }
    let values = json!({ "refresh_token": signed_in.body["refresh_token"] });
    world.call("refresh_token", With { values, ..With::default() }).await;
    bearer
}

async fn shop(world: &World, bearer: &str) {
    let day = testing::next(Weekday::Wed).to_string();
    let query = format!("?date={day}&service_location=home&vehicle_model_id=7&service_ids=4,6");
    world.call("list_slots", With { query: &query, ..With::default() }).await;
    let values = json!({ "appointment_date": day, "payment_method": "razorpay" });
    let booked = world.call("create_booking", With { values: values.clone(), ..With::default() }).await;
    let (id, token) = (booked.body["data"]["id"].as_i64().unwrap(), text(&booked.body["data"], "access_token"));
    let owner = [("X-Booking-Token", token)];
    let of_day = || json!({ "appointment_date": day });
    world.call("show_booking", With { id, headers: &owner, ..With::default() }).await;
    world.call("reschedule_booking", With { id, headers: &owner, values: of_day(), ..With::default() }).await;
    world.call("list_booking_events", With { id, headers: &owner, ..With::default() }).await;
    world.call("list_bookings", With { query: "?phone=9876543210&page_size=1", ..With::default() }).await;
    world.call("list_bookings", With { headers: &[("Authorization", bearer)], ..With::default() }).await;

    let order = world.call("create_order", With { values: json!({ "booking_id": id }), ..With::default() }).await;
    let paid = world.razorpay.checkout(text(&order.body["data"], "order_id"), Outcome::Captured);
    let values = json!({
        "razorpay_order_id": paid.order_id, "razorpay_payment_id": paid.payment_id, "razorpay_signature": paid.signature,
    });
    world.call("verify_payment", With { values, ..With::default() }).await;
    world.deliver("receive_webhook").await;

    for listed in ["list_bookings_for_staff", "show_booking_statistics"] {
        world.call(listed, With { headers: &STAFF, ..With::default() }).await;
    }
    world.call("show_booking_to_staff", With { id, headers: &STAFF, ..With::default() }).await;
    world.call("change_booking", With { id, headers: &STAFF, values: of_day(), ..With::default() }).await;
    world.call("update_booking_status", With { id, headers: &STAFF, ..With::default() }).await;
    world.call("refund_booking", With { id, headers: &STAFF, ..With::default() }).await;
    world.call("cancel_booking", With { id, headers: &owner, ..With::default() }).await;

    let values = json!({ "appointment_date": day, "appointment_time": "12:00", "customer_phone": "98765 43211" });
    let other = world.call("create_booking", With { values, ..With::default() }).await.body["data"].clone();
    let with = With { id: other["id"].as_i64().unwrap(), headers: &STAFF, ..With::default() };
    world.call("record_cash", With { values: json!({ "amount": other["total_amount"] }), ..with }).await;
    let values = json!({ "appointment_date": day, "appointment_time": "14:00", "customer_phone": "98765 43212" });
    let third = world.call("create_booking", With { values, ..With::default() }).await.body["data"].clone();
    let values = json!({ "booking_id": third["id"], "amount": third["total_amount"] });
    world.call("collect_payment", With { values, headers: &STAFF, ..With::default() }).await;
    let values = json!({ "date": day, "count": 2 });
    world.call("cancel_bookings", With { values, headers: &STAFF, ..With::default() }).await;
}

async fn leave(world: &World, bearer: &str) {
    let session = [("Authorization", bearer)];
    world.descope.set_roles(EMAIL, &["staff"]);
    for id in ["login_staff", "login_staff_by_password"] {
        let values = json!({ "identifier": EMAIL, "password": "securepassword456" });
        world.call(id, With { values, ..With::default() }).await;
    }
    // A change of number and address at once would end every way in.
    let values = json!({ "phone_number": PHONE });
    world.call("update_profile", With { headers: &session, values, ..With::default() }).await;
    let sessions = world.call("list_sessions", With { headers: &session, ..With::default() }).await;
    let other = sessions.body["sessions"].as_array().unwrap().iter().find(|session| session["is_current"] == false);
    let id = other.unwrap()["id"].as_i64().unwrap();
    world.call("revoke_session", With { id, headers: &session, ..With::default() }).await;
    world.call("logout", With { headers: &session, ..With::default() }).await;
}

#[test]
fn the_document_lists_every_error_code_in_exactly_one_form() {
    let body = serde_json::to_value(ErrorBody::schema()).unwrap();
    let forms = body["oneOf"].as_array().unwrap();
    let codes: Vec<&Value> =
        forms.iter().flat_map(|form| form["properties"]["code"]["enum"].as_array().unwrap()).collect();
    let documented: BTreeSet<&str> = codes.iter().map(|code| code.as_str().unwrap()).collect();
    let known: Vec<Value> = Code::ALL.iter().map(|code| json!(code)).collect();
    assert_eq!(documented, known.iter().map(|code| code.as_str().unwrap()).collect());
    assert_eq!(documented.len(), codes.len(), "a code in two forms tells nothing of details");
}

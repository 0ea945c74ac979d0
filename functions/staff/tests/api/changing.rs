//! Changes of a booking's status and notes.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::timeless;

use super::{book, desk, path_of, timeline, used};

const ALL: [&str; 5] = ["pending", "confirmed", "in_progress", "completed", "cancelled"];

fn allowed(from: &str) -> &'static [&'static str] {
    match from {
        "pending" => &["confirmed", "cancelled"],
        "confirmed" => &["in_progress", "cancelled"],
        "in_progress" => &["completed", "cancelled"],
        _ => &[],
    }
}

fn status(word: &str) -> Value {
    json!({ "status": word })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_goes_from_pending_to_completed(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let path = path_of(id);
    let before = desk.get(&path).await;
    let mut expected = json!({
        "error": false, "message": "Booking details retrieved successfully",
        "data": {
            "id": id, "reference": before.body["data"]["reference"],
            "customer": {
                "id": 1, "name": "John Doe", "phone": "+919876543210", "email": "john@example.com",
                "created_at": "<moment>", "updated_at": "<moment>"
            },
            "vehicle_model": 7, "vehicle_model_name": "Activa 6G", "vehicle_brand_name": "Honda",
            "vehicle_type_name": "Scooter", "service_location": "shop", "address": "MG Road",
            "appointment_date": super::monday(), "appointment_time": "10:00:00", "total_amount": "390.00",
            "payment_method": "cash", "payment_status": "pending", "booking_status": "pending", "notes": "Noisy",
            "customer_notes": "Noisy", "booking_parts": [], "mechanic_id": null, "mechanic_name": null, "version": 1,
            "internal_notes": "", "source": "web",
            "booking_services": [{
                "id": 1, "service": 4, "service_name": "Engine Oil Change", "category_name": "Engine",
                "price": "390.00", "created_at": "<moment>"
            }],
            "created_at": "<moment>", "updated_at": "<moment>"
        }
    });
    assert_eq!((before.status, timeless(before.body.clone())), (200, expected.clone()));
    assert_eq!(before.header("cache-control"), "no-store");
    for (version, next) in [(2, "confirmed"), (3, "in_progress")] {
        let answer = desk.patch(&format!("{path}update-status/"), &status(next)).await;
        expected["message"] = json!(format!("Booking status updated to {next}"));
        expected["data"]["booking_status"] = json!(next);
        expected["data"]["version"] = json!(version);
        assert_eq!((answer.status, timeless(answer.body.clone())), (200, expected.clone()));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(desk.get(&path).await.body["data"], answer.body["data"]);
    }
    let done = desk.patch(&format!("{path}update-status/"), &status("completed")).await;
    assert_eq!((done.status, &done.body["data"]["booking_status"]), (200, &json!("completed")));
    assert_eq!(done.body["data"]["payment_status"], "completed", "the cash has been paid");
    assert_eq!(desk.get(&path).await.body["data"], done.body["data"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_pair_of_statuses_obeys_the_transition_rules(pool: PgPool) {
    let desk = desk(&pool).await;
    for from in ALL {
        for (day, to) in ALL.into_iter().enumerate() {
            let (date, location) = (format!("2020-01-0{}", day + 1), if from == "pending" { "home" } else { "shop" });
            let id = book(&pool, &json!({ "status": from, "date": date, "location": location })).await;
            let path = path_of(id);
            let before = desk.get(&path).await.body["data"].clone();
            let answer = desk.patch(&format!("{path}update-status/"), &status(to)).await;
            let events = timeline(&pool, id).await;
            let begun = json!([["created", null, from, "customer"]]);
            if from == to {
                assert_eq!(answer.body["message"], format!("Booking status updated to {to}"));
                assert_eq!((answer.status, &answer.body["data"], events), (200, &before, begun), "{from} to {to}");
            } else if allowed(from).contains(&to) {
                assert_eq!((answer.status, &answer.body["data"]["booking_status"]), (200, &json!(to)));
                assert_eq!(events[1], json!([to, from, to, "staff:desk"]));
            } else {
                let sentence = "The booking cannot be changed in its present status.";
                let expected = json!({
                    "error": true, "message": sentence, "status_code": 409, "code": "ILLEGAL_TRANSITION",
                    "details": { "allowed": allowed(from) }, "detail": sentence
                });
                assert_eq!((answer.status, &answer.body), (409, &expected), "{from} to {to}");
                assert_eq!((&desk.get(&path).await.body["data"], events), (&before, begun));
            }
        }
    }
    used(&pool, "10:00").await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_status_is_reported_in_the_message(pool: PgPool) {
    let desk = desk(&pool).await;
    let path = format!("{}update-status/", path_of(book(&pool, &json!({})).await));
    let missing = "status field is required";
    let invalid = "Invalid status. Valid options: pending, confirmed, in_progress, completed, cancelled";
    for (body, sentence) in [
        (json!({}), missing),
        (json!({ "status": null }), missing),
        (json!({ "status": " " }), missing),
        (json!({ "booking_status": "confirmed" }), missing),
        (json!({ "status": "moon" }), invalid),
        (json!({ "status": "Confirmed" }), invalid),
        (json!({ "status": 1 }), invalid),
    ] {
        let answer = desk.patch(&path, &body).await;
        let expected = json!({
            "error": true, "message": sentence, "status_code": 400, "code": "VALIDATION_ERROR",
            "details": { "status": [sentence] }, "detail": sentence
        });
        assert_eq!((answer.status, answer.body), (400, expected), "{body}");
    }
    for body in [json!({ "status": [] }), json!({ "status": true })] {
        assert_eq!(desk.patch(&path, &body).await.body["details"], json!({ "status": ["Not a valid string."] }));
    }
    assert_eq!(desk.with("content-type", "application/json").send("PATCH", &path, Some("{")).await.status, 400);
    assert_eq!(desk.patch(&path, &status(" confirmed ")).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unknown_booking_is_not_found(pool: PgPool) {
    let desk = desk(&pool).await;
    for id in ["999", "0", "-1", "x", "1.0", "99999999999999999999"] {
        let path = format!("/api/staff/bookings/{id}/");
        for answer in [
            desk.get(&path).await,
            desk.patch(&path, &json!({ "notes": "Squeaks" })).await,
            desk.patch(&format!("{path}update-status/"), &status("confirmed")).await,
        ] {
            assert_eq!((answer.status, &answer.body["code"]), (404, &json!("NOT_FOUND")), "{id}");
        }
    }
    assert_eq!(desk.get("/api/staff/bookings/999/").await.body["message"], "Booking not found");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_equal_status_changes_are_applied_once(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let path = format!("{}update-status/", path_of(id));
    let body = status("confirmed");
    let answers = join_all((0..10).map(|_| desk.patch(&path, &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(timeline(&pool, id).await.as_array().unwrap().len(), 2);
    let version: i32 = sqlx::query_scalar("select version from bookings").fetch_one(&pool).await.unwrap();
    assert_eq!(version, 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_status_changes_are_applied_one_after_the_other(pool: PgPool) {
    let desk = desk(&pool).await;
    for _ in 0..5 {
        let id = book(&pool, &json!({ "date": "2020-01-06" })).await;
        let path = format!("{}update-status/", path_of(id));
        let bodies = ["confirmed", "cancelled"].repeat(5).into_iter().map(status).collect::<Vec<_>>();
        let answers = join_all(bodies.iter().map(|body| desk.patch(&path, body))).await;
        assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
        let events = timeline(&pool, id).await;
        let events = events.as_array().unwrap();
        for pair in events.windows(2) {
            assert_eq!(pair[1][1], pair[0][2], "each follows from the one before: {events:?}");
        }
        assert_eq!(events.last().unwrap()[2], "cancelled");
    }
    used(&pool, "10:00").await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_cancelled_booking_frees_its_slot(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({ "status": "in_progress" })).await;
    assert_eq!(used(&pool, "10:00").await, (1, 0));
    assert_eq!(desk.patch(&format!("{}update-status/", path_of(id)), &status("cancelled")).await.status, 200);
    assert_eq!(used(&pool, "10:00").await, (0, 0));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn notes_can_be_changed_in_every_status(pool: PgPool) {
    let desk = desk(&pool).await;
    for (day, word) in ALL.into_iter().enumerate() {
        let date = format!("2020-01-0{}", day + 1);
        let id = book(&pool, &json!({ "status": word, "date": date })).await;
        let path = path_of(id);
        let changed = desk.patch(&path, &json!({ "notes": " Squeaks " })).await;
        assert_eq!(
            (changed.status, &changed.body["message"], &changed.body["data"]["notes"]),
            (200, &json!("Booking updated successfully"), &json!("Squeaks"))
        );
        assert_eq!(desk.get(&path).await.body["data"], changed.body["data"]);
        // The same values change nothing. A form may send the unchanged appointment.
        let same = json!({ "notes": "Squeaks", "appointment_date": date, "appointment_time": "10:00" });
        let again = desk.patch(&path, &same).await;
        assert_eq!((again.status, &again.body), (200, &changed.body));
        assert_eq!(
            timeline(&pool, id).await,
            json!([["created", null, word, "customer"], ["notes_changed", word, word, "staff:desk"]])
        );
        assert_eq!(desk.patch(&path, &json!({ "notes": "" })).await.body["data"]["notes"], "");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn internal_notes_are_changed_and_a_body_without_changes_is_refused(pool: PgPool) {
    let desk = desk(&pool).await;
    let path = path_of(book(&pool, &json!({})).await);
    let noted = desk.patch(&path, &json!({ "internal_notes": "Pays late" })).await;
    assert_eq!((noted.status, &noted.body["data"]["internal_notes"]), (200, &json!("Pays late")));
    assert_eq!(noted.body["data"]["notes"], "Noisy");
    for nothing in [json!({}), json!({ "note": "typo" }), json!({ "force": true })] {
        let refused = desk.patch(&path, &nothing).await;
        let sentence = "Send what is to be changed: appointment_date, appointment_time, notes, internal_notes.";
        assert_eq!((refused.status, &refused.body["details"]), (400, &json!({ "non_field_errors": [sentence] })));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_note_of_a_status_is_kept_on_the_timeline(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let body = json!({ "status": "confirmed", "notes": "  Called back  " });
    assert_eq!(desk.patch(&format!("{}update-status/", path_of(id)), &body).await.status, 200);
    let kept: String = sqlx::query_scalar("select reason from booking_events where event = 'confirmed'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, "Called back");
}

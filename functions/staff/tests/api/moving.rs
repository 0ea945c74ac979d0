//! Moving a booking: by the rules, or by force into a full slot.

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;

use super::{book, desk, monday, path_of, timeline, used};

fn to(time: &str) -> Value {
    json!({ "appointment_date": monday(), "appointment_time": time })
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_move_keeps_the_date_or_time_that_is_left_out(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let path = path_of(id);
    let later = testing::next(chrono::Weekday::Wed);
    let moved = desk.patch(&path, &json!({ "appointment_time": "15:00" })).await;
    assert_eq!((moved.status, &moved.body["message"]), (200, &json!("Booking updated successfully")));
    assert_eq!(moved.header("cache-control"), "no-store");
    let appointment = |answer: &testing::Answer| {
        json!([answer.body["data"]["appointment_date"], answer.body["data"]["appointment_time"]])
    };
    assert_eq!(appointment(&moved), json!([monday(), "15:00:00"]));
    assert_eq!((used(&pool, "10:00").await, used(&pool, "15:00").await), ((0, 0), (1, 0)));
    let moved = desk.patch(&path, &json!({ "appointment_date": later })).await;
    assert_eq!(appointment(&moved), json!([later, "15:00:00"]));
    assert_eq!(used(&pool, "15:00").await, (0, 0));
    assert_eq!(desk.get(&path).await.body["data"], moved.body["data"]);
    assert_eq!(
        timeline(&pool, id).await,
        json!([
            ["created", null, "pending", "customer"],
            ["rescheduled", "pending", "pending", "staff:desk"],
            ["rescheduled", "pending", "pending", "staff:desk"],
        ])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_full_slot_is_taken_only_by_force_and_reopens_below_its_capacity(pool: PgPool) {
    let desk = desk(&pool).await;
    let mut inside = Vec::new();
    for _ in 0..3 {
        inside.push(book(&pool, &json!({ "time": "15:00" })).await);
    }
    let id = book(&pool, &json!({})).await;
    for force in [json!({}), json!({ "force": false }), json!({ "force": "false" })] {
        let mut body = to("15:00");
        body.as_object_mut().unwrap().extend(force.as_object().unwrap().clone());
        body["notes"] = json!("Squeaks");
        let refused = desk.patch(&path_of(id), &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("SLOT_FULL")));
        assert_eq!(refused.body["details"]["available"][0], json!({ "date": monday(), "time": "14:00:00" }));
    }
    assert_eq!((used(&pool, "10:00").await, used(&pool, "15:00").await), ((1, 0), (3, 0)));
    assert_eq!(desk.get(&path_of(id)).await.body["data"]["notes"], "Noisy", "all or nothing");

    let forced = json!({ "appointment_time": "15:00", "notes": "Squeaks", "force": true });
    let moved = desk.patch(&path_of(id), &forced).await;
    assert_eq!((moved.status, &moved.body["data"]["appointment_time"]), (200, &json!("15:00:00")));
    assert_eq!(moved.body["data"]["notes"], "Squeaks");
    assert_eq!(desk.get(&path_of(id)).await.body["data"], moved.body["data"]);
    assert_eq!((used(&pool, "10:00").await, used(&pool, "15:00").await), ((0, 0), (4, 1)));
    assert_eq!(
        timeline(&pool, id).await,
        json!([
            ["created", null, "pending", "customer"],
            ["overbooked", "pending", "pending", "staff:desk"],
            ["notes_changed", "pending", "pending", "staff:desk"],
        ])
    );

    // After one cancellation the slot is full but not overbooked, and refuses a move by the rules.
    let cancel = format!("{}update-status/", path_of(inside[0]));
    assert_eq!(desk.patch(&cancel, &json!({ "status": "cancelled" })).await.status, 200);
    assert_eq!(used(&pool, "15:00").await, (3, 0));
    let other = book(&pool, &json!({})).await;
    assert_eq!(desk.patch(&path_of(other), &to("15:00")).await.status, 409);
    // After another booking has moved away there is room for one.
    let leaves = json!({ "appointment_time": "11:00" });
    assert_eq!(desk.patch(&path_of(inside[1]), &leaves).await.status, 200);
    assert_eq!(used(&pool, "15:00").await, (2, 0));
    assert_eq!(desk.patch(&path_of(other), &to("15:00")).await.status, 200);
    assert_eq!((used(&pool, "15:00").await, used(&pool, "11:00").await), ((3, 0), (1, 0)));
    // A forced move into a free slot is an ordinary move.
    let free = json!({ "appointment_time": "16:00", "force": "true" });
    assert_eq!(desk.patch(&path_of(other), &free).await.status, 200);
    assert_eq!(timeline(&pool, other).await[2][0], "rescheduled");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn leaving_an_overbooked_slot_frees_no_capacity(pool: PgPool) {
    let desk = desk(&pool).await;
    for _ in 0..3 {
        book(&pool, &json!({ "time": "15:00" })).await;
    }
    let (first, second, third) =
        (book(&pool, &json!({})).await, book(&pool, &json!({})).await, book(&pool, &json!({})).await);
    let forced = |time: &str| json!({ "appointment_time": time, "force": true });
    for id in [first, second] {
        assert_eq!(desk.patch(&path_of(id), &forced("15:00")).await.status, 200);
    }
    assert_eq!(used(&pool, "15:00").await, (5, 2));
    assert_eq!(desk.patch(&path_of(second), &forced("16:00")).await.status, 200);
    assert_eq!(timeline(&pool, second).await[2][0], "rescheduled", "into an empty slot, out of a full one");
    assert_eq!(used(&pool, "15:00").await, (4, 1));

    sqlx::query("update shops set shop_capacity = 4").execute(&pool).await.unwrap();
    assert_eq!(desk.patch(&path_of(third), &to("15:00")).await.body["code"], "SLOT_FULL");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn staff_move_to_any_minute_of_the_opening_hours_and_beyond_the_horizon(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let far = (monday() + chrono::Days::new(52 * 7)).to_string();
    for body in [to("10:37"), json!({ "appointment_date": far, "appointment_time": "09:05" })] {
        let moved = desk.patch(&path_of(id), &body).await;
        assert_eq!(moved.status, 200, "{}", moved.body);
        assert_eq!(
            moved.body["data"]["appointment_time"],
            format!("{}:00", body["appointment_time"].as_str().unwrap())
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_invalid_move_reports_all_faults_and_changes_nothing(pool: PgPool) {
    let desk = desk(&pool).await;
    let id = book(&pool, &json!({})).await;
    let path = path_of(id);
    let absent = "This field may not be null.";
    for (body, details) in [
        (
            json!({ "appointment_date": "soon", "appointment_time": "noon", "notes": "x".repeat(1001), "force": "moon" }),
            json!({
                "appointment_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
                "appointment_time": ["Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]]."],
                "force": ["Must be a valid boolean."],
                "notes": ["Ensure this field has no more than 1000 characters."],
            }),
        ),
        (
            json!({ "appointment_date": null, "appointment_time": null, "force": null, "notes": "a\u{0}" }),
            json!({
                "appointment_date": [absent], "appointment_time": [absent],
                "notes": ["Null characters are not allowed."]
            }),
        ),
        (json!({ "notes": null }), json!({ "notes": [absent] })),
        (json!({ "notes": "a\u{1b}[31mb" }), json!({ "notes": ["This field may not contain control characters."] })),
        (to("08:30"), json!({ "appointment_time": ["The shop is open from 09:00 to 19:00 on this day."] })),
        (
            to("18:55"),
            json!({ "appointment_time": ["The work takes 30 minutes and would not be done by closing time."] }),
        ),
        (
            json!({ "appointment_time": "20:00", "force": true, "notes": "Squeaks" }),
            json!({ "appointment_time": ["The shop is open from 09:00 to 19:00 on this day."] }),
        ),
        (
            json!({ "appointment_date": "2020-01-01", "force": true }),
            json!({ "appointment_date": ["The appointment cannot be in the past."] }),
        ),
    ] {
        let refused = desk.patch(&path, &body).await;
        assert_eq!((refused.status, &refused.body["details"]), (400, &details), "{body}");
    }
    for word in ["in_progress", "completed", "cancelled"] {
        let id = book(&pool, &json!({ "status": word })).await;
        let body = json!({ "appointment_time": "15:00", "notes": "Squeaks", "force": true });
        let refused = desk.patch(&path_of(id), &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("ILLEGAL_TRANSITION")), "{word}");
    }
    let changed: i64 =
        sqlx::query_scalar("select count(*) from bookings where version > 1").fetch_one(&pool).await.unwrap();
    assert_eq!(changed, 0);
}

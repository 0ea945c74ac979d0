//! Moving a booking by its link.

use futures::future::join;
use serde_json::json;
use shared::{
    bookings::{links::Scope, own::Cutoff, unproved},
    throttle::Limit,
};
use sqlx::PgPool;

use crate::{World, input, monday, throttle};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_moves_to_a_free_time_of_a_chosen_day(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    for _ in 0..3 {
        world.book("15:00", false).await;
    }
    let page = world.client.get(&format!("{link}move/?date={}", monday())).await;
    assert_eq!(page.status, 200);
    let offered: Vec<&str> =
        page.text.split("name=\"time\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    // Ten is its own time, and at three all bays are taken.
    assert_eq!(offered, ["09:00", "11:00", "12:00", "13:00", "14:00", "16:00", "17:00", "18:00"]);
    let (version, day) = (input(&page, "version"), monday().to_string());
    let fields = [("version", version.as_str()), ("date", &day), ("time", "12:00")];
    let moved = world.client.submit(&format!("{link}move/"), &fields).await;
    assert_eq!((moved.status, moved.header("location")), (303, format!("{link}?done=moved").as_str()));
    assert_eq!(world.state().await, json!([day, "12:00", "pending", 2, "pending"]));
    assert_eq!((world.used("10:00").await, world.used("12:00").await), (0, 1));
    let shown = world.client.get(moved.header("location")).await;
    assert!(shown.text.contains("The booking was moved."), "{}", shown.text);

    let again = world.client.submit(&format!("{link}move/"), &fields).await;
    assert_eq!(again.status, 303, "a form that is sent twice does its work once");
    assert_eq!(world.events().await, json!(["created", "rescheduled"]));
    let actor = "select actor from booking_events where event = 'rescheduled'";
    assert_eq!(world.value::<String>(actor).await, "customer");

    let full =
        world.client.submit(&format!("{link}move/"), &[("version", "2"), ("date", &day), ("time", "15:00")]).await;
    assert_eq!(full.status, 409);
    assert!(full.text.contains("has just been taken") && full.text.contains("value=\"16:00\""), "{}", full.text);
    let none = world.client.submit(&format!("{link}move/"), &[("version", "2"), ("date", &day)]).await;
    assert_eq!(none.status, 400);
    assert!(none.text.contains("Please choose a time."));
    for (date, time) in
        [(day.as_str(), "12:30"), (day.as_str(), "23:00"), ("2020-01-01", "12:00"), ("2099-01-01", "12:00")]
    {
        let refused =
            world.client.submit(&format!("{link}move/"), &[("version", "2"), ("date", date), ("time", time)]).await;
        assert_eq!(refused.status, 409, "{date} {time}: {}", refused.text);
    }
    assert_eq!(world.state().await, json!([day, "12:00", "pending", 2, "pending"]));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_long_job_may_move_into_what_it_takes_now(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    world
        .run(
            "update shops set shop_capacity = 1;
            update bookings set duration_minutes = 120, occupied_minutes = 120, slot_times = quarters('10:00', 120);
            insert into slot_usage (pool, date, time, used, capacity)
            select 'shop', appointment_date, unnest(quarters('11:00', 60)), 1, 1 from bookings",
        )
        .await;
    let (path, day) = (format!("{link}move/"), monday().to_string());
    let page = world.client.get(&format!("{path}?date={day}")).await;
    for time in ["09:00", "11:00", "12:00"] {
        assert!(page.text.contains(&format!("name=\"time\" value=\"{time}\"")), "{time}: {}", page.text);
    }
    let moved = world.client.submit(&path, &[("version", "1"), ("date", &day), ("time", "11:00")]).await;
    assert_eq!(moved.status, 303, "{}", moved.text);
    assert_eq!((world.used("10:00").await, world.used("11:00").await, world.used("12:00").await), (0, 1, 1));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn of_two_people_who_press_at_once_one_is_told_that_the_booking_has_changed(pool: PgPool) {
    let world = World::new(pool).await;
    let (first, second) = (world.link(1, Scope::Change).await, world.link(1, Scope::Change).await);
    let day = monday().to_string();
    let other = world.changed(|_| ());
    let (path, there) = (format!("{first}move/"), format!("{second}cancel/"));
    let fields = [("version", "1"), ("date", day.as_str()), ("time", "12:00")];
    let (moved, cancelled) = join(world.client.submit(&path, &fields), other.submit(&there, &[("version", "1")])).await;
    let mut statuses = [moved.status, cancelled.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409], "{} {}", moved.text, cancelled.text);
    let stale = if moved.status == 409 { &moved } else { &cancelled };
    assert!(stale.text.contains("has changed meanwhile"), "{}", stale.text);
    let version: i32 = world.value("select version from bookings where id = 1").await;
    assert_eq!(version, 2);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_customer_s_cut_off_and_five_moves_hold(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let day = monday().to_string();
    let late = world.changed(|app| app.cutoff = Cutoff(chrono::TimeDelta::days(60)));
    let page = late.get(&link).await;
    assert!(page.text.contains("cannot be changed here any more") && !page.text.contains("/move/"), "{}", page.text);
    assert_eq!(late.get(&format!("{link}move/")).await.status, 303);
    let fields = [("version", "1"), ("date", day.as_str()), ("time", "12:00")];
    let refused = late.submit(&format!("{link}move/"), &fields).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("Please call the shop"), "{}", refused.text);
    assert_eq!(late.submit(&format!("{link}cancel/"), &[("version", "1")]).await.status, 409);
    assert_eq!(world.events().await, json!(["created"]));

    for (version, time) in [("1", "11:00"), ("2", "12:00"), ("3", "13:00"), ("4", "14:00"), ("5", "15:00")] {
        let fields = [("version", version), ("date", day.as_str()), ("time", time)];
        assert_eq!(world.client.submit(&format!("{link}move/"), &fields).await.status, 303, "{version}");
    }
    let sixth = [("version", "6"), ("date", day.as_str()), ("time", "16:00")];
    assert_eq!(world.client.submit(&format!("{link}move/"), &sixth).await.status, 409);
    let page = world.client.get(&link).await;
    assert!(!page.text.contains("/move/") && page.text.contains("/cancel/"), "{}", page.text);
    assert_eq!(world.state().await, json!([day, "15:00", "pending", 6, "pending"]));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_time_that_is_kept_for_proved_bookings_asks_for_the_proof(pool: PgPool) {
    let world = World::new(pool).await;
    let booking = world.book("12:00", true).await;
    let link = world.link(booking, Scope::Change).await;
    for _ in 0..2 {
        world.book("15:00", true).await;
    }
    let limits = unproved::Limits { keep_one_in: Some(3), ..unproved::Limits::OFF };
    let client = world.changed(|app| app.unproved = limits);
    let day = monday().to_string();
    let refused =
        client.submit(&format!("{link}move/"), &[("version", "1"), ("date", day.as_str()), ("time", "15:00")]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("your number must be confirmed first"), "{}", refused.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn changes_of_one_booking_are_limited(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let client = world.changed(|app| {
        app.sign_in.throttle = throttle();
        app.limits.changes = Limit::new("changes", 2, std::time::Duration::from_mins(1));
    });
    let day = monday().to_string();
    for (version, time, status) in [("1", "11:00", 303), ("2", "12:00", 303), ("3", "13:00", 429)] {
        let fields = [("version", version), ("date", day.as_str()), ("time", time)];
        assert_eq!(client.submit(&format!("{link}move/"), &fields).await.status, status, "{time}");
    }
}

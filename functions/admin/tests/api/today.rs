//! The day's board.

use chrono::Weekday;
use sqlx::PgPool;

use crate::World;

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_board_shows_each_job_as_long_as_it_is_and_how_full_each_slot_is(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let day = testing::next(Weekday::Mon);
    for time in ["10:00", "10:00", "10:30"] {
        world.book(day, time).await;
    }
    let capacity: i32 = sqlx::query_scalar("select shop_capacity from shops").fetch_one(&world.pool).await.unwrap();
    let page = mechanic.get(&format!("/admin/?day={day}")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text.matches("<article class=\"job").count(), 3);
    assert_eq!(page.text.matches("<td rowspan=\"4\"><article").count(), 3, "an hour is four quarters");
    assert!(page.text.contains(&format!("3 of {capacity}")), "{}", page.text);
    assert_eq!(page.text.matches("Confirm booking").count(), 2 * 3, "the next step of each, by its name too");
    let by_status = mechanic.get(&format!("/admin/?day={day}&by=status")).await;
    assert_eq!(by_status.text.matches("<article class=\"job").count(), 3);
    let empty = mechanic.get("/admin/?day=2020-01-06").await;
    assert!(empty.text.contains("Nothing is booked for this day."), "{}", empty.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn what_waits_is_counted_and_linked(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    assert!(mechanic.get("/admin/").await.text.contains("Nothing is waiting."));
    let day = testing::next(Weekday::Mon);
    world.book(day, "10:00").await;
    world.book(day, "11:00").await;
    sqlx::query("update bookings set booking_status = 'completed' where id = 2").execute(&world.pool).await.unwrap();
    let page = mechanic.get("/admin/").await;
    for item in [
        "<a href=\"/admin/bookings/?scope=to_confirm\"><strong>1</strong> to confirm",
        "<a href=\"/admin/bookings/?status=completed&amp;paid=no\"><strong>1</strong> done and unpaid",
    ] {
        assert!(page.text.contains(item), "{item}: {}", page.text);
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_job_that_takes_too_long_is_late_on_the_board_in_the_count_and_in_the_list(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    world.book(testing::next(Weekday::Mon), "10:00").await;
    sqlx::query(
        "update bookings set booking_status = 'in_progress', appointment_date = shop_clock(now())::date - 1 where id = 1",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let day: chrono::NaiveDate =
        sqlx::query_scalar("select appointment_date from bookings").fetch_one(&world.pool).await.unwrap();
    let page = mechanic.get(&format!("/admin/?day={day}")).await;
    assert!(page.text.contains("<article class=\"job late\""), "{}", page.text);
    let counted = "<a href=\"/admin/bookings/?scope=late\"><strong>1</strong> late";
    assert!(page.text.contains(counted), "{}", page.text);
    let list = mechanic.get("/admin/bookings/?scope=late").await;
    assert_eq!(list.text.matches("name=\"row\"").count(), 1, "{}", list.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_next_step_leads_back_to_the_board_of_that_day(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let day = testing::next(Weekday::Mon);
    world.book(day, "10:00").await;
    let back = format!("/admin/?day={day}");
    let fields = [("version", "1"), ("to", "confirmed"), ("back", &*back)];
    let answer = mechanic.submit("/admin/bookings/1/status/", &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, back.as_str()));
    for foreign in ["https://elsewhere.example/", "//elsewhere.example/admin/", "/api/", "/admin/\u{0}"] {
        let fields = [("version", "1"), ("to", "confirmed"), ("back", foreign)];
        let answer = mechanic.submit("/admin/bookings/1/status/", &fields).await;
        assert_eq!(answer.header("location"), "/admin/bookings/1/?done=saved", "{foreign}");
    }
}

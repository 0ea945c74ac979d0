//! Cancelling a booking by its link.

use serde_json::json;
use shared::bookings::links::Scope;
use sqlx::PgPool;

use crate::{World, input, monday};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_is_cancelled_after_a_question_and_once(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    let path = format!("{link}cancel/");
    let page = world.client.get(&path).await;
    assert!(page.status == 200 && page.text.contains("Cancel this booking?"), "{}", page.text);
    let version = input(&page, "version");
    let stale = world.client.submit(&path, &[("version", "7")]).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert_eq!(world.client.submit(&path, &[]).await.status, 409, "a form without a version");
    assert_eq!(world.events().await, json!(["created"]));

    let fields = [("version", version.as_str()), ("reason", "The scooter was sold")];
    let done = world.client.submit(&path, &fields).await;
    assert_eq!((done.status, done.header("location")), (303, format!("{link}?done=cancelled").as_str()));
    assert_eq!(world.client.submit(&path, &fields).await.status, 303);
    assert_eq!(world.state().await, json!([monday(), "10:00", "cancelled", 2, "pending"]));
    assert_eq!(world.used("10:00").await, 0);
    assert_eq!(world.events().await, json!(["created", "cancelled"]));
    let reason = "select reason from booking_events where event = 'cancelled'";
    assert_eq!(world.value::<String>(reason).await, "The scooter was sold");
    let page = world.client.get(done.header("location")).await;
    assert!(page.text.contains("The booking was cancelled."), "{}", page.text);
    assert_eq!(world.client.get(&path).await.status, 303, "there is nothing left to ask");
    let fields = [("version", "2"), ("date", "2026-12-07"), ("time", "12:00")];
    assert_eq!(world.client.submit(&format!("{link}move/"), &fields).await.status, 409);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn work_that_has_begun_is_not_cancelled(pool: PgPool) {
    let world = World::new(pool).await;
    let link = world.link(1, Scope::Change).await;
    world.run("update bookings set booking_status = 'in_progress'").await;
    let refused = world.client.submit(&format!("{link}cancel/"), &[("version", "1")]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("This is not possible any more."), "{}", refused.text);
    assert_eq!(world.events().await, json!(["created"]));
}

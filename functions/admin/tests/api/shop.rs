//! The shop, its hours and holidays, and the bookings that a change would leave outside.

use chrono::{NaiveDate, Weekday};
use sqlx::PgPool;
use testing::{Fault, Network};

use crate::{
    World,
    browser::{Browser, input},
    panel,
};

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The fields of the page of hours as it is open now, with some replaced.
async fn hours(browser: &Browser, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let page = browser.get("/admin/shop/hours/").await;
    let mut names = vec!["version".to_owned()];
    names.extend(DAYS.iter().flat_map(|day| [format!("{day}_opens"), format!("{day}_closes")]));
    with(&page, names, changes)
}

/// The fields of the page of the shop as it is open now, with some replaced.
async fn shop(browser: &Browser, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let page = browser.get("/admin/shop/").await;
    let names = [
        "version",
        "name",
        "address",
        "phone",
        "email",
        "latitude",
        "longitude",
        "time_zone",
        "slot_minutes",
        "shop_capacity",
        "home_capacity",
        "home_radius_km",
        "minimum_notice_minutes",
        "booking_horizon_days",
    ];
    with(&page, names.map(ToOwned::to_owned).to_vec(), changes)
}

fn with(page: &testing::Answer, names: Vec<String>, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let replaced = |name: &str| changes.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    names.into_iter().map(|name| (name.clone(), replaced(&name).unwrap_or_else(|| input(page, &name)))).collect()
}

async fn submit(browser: &Browser, path: &str, fields: &[(String, String)]) -> testing::Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit(path, &fields).await
}

/// Books an oil change at the shop on a Monday at ten; returns the day and the reference.
async fn book(world: &World, time: &str) -> (NaiveDate, String) {
    let monday = testing::next(Weekday::Mon);
    let reference = world.book(monday, time).await;
    (monday, reference)
}

async fn value(world: &World, sql: &str) -> String {
    sqlx::query_scalar(sql).fetch_one(&world.pool).await.unwrap()
}

const MONDAY: &str = "select opens_at || '-' || closes_at from opening_hours where weekday = 1";

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn hours_that_would_leave_bookings_outside_are_saved_only_after_the_list_was_seen(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let (_, reference) = book(&world, "10:00").await;
    let before = value(&world, MONDAY).await;
    let mut fields = hours(&owner, &[("monday_opens", "10:30")]).await;
    let answer = submit(&owner, "/admin/shop/hours/", &fields).await;
    assert_eq!(answer.status, 409);
    for part in [
        "1 booking would not fit any more",
        &reference,
        "outside the opening hours",
        "tel:+919876543210",
        "value=\"10:30\"",
    ] {
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    assert_eq!(value(&world, MONDAY).await, before, "nothing is saved yet");

    // One more booking than was seen.
    fields.push(("confirmed".to_owned(), input(&answer, "confirmed")));
    let (_, second) = book(&world, "10:15").await;
    let answer = submit(&owner, "/admin/shop/hours/", &fields).await;
    assert!(answer.status == 409 && answer.text.contains(&second), "{}", answer.text);
    fields.pop();
    fields.push(("confirmed".to_owned(), input(&answer, "confirmed")));
    assert_eq!(submit(&owner, "/admin/shop/hours/", &fields).await.status, 303);
    assert_eq!(value(&world, MONDAY).await, "10:30:00-19:00:00");
    // They are outside already, so another save does not list them again.
    let fields = hours(&owner, &[("sunday_closes", "24:00"), ("sunday_opens", "09:00")]).await;
    let answer = submit(&owner, "/admin/shop/hours/", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert!(owner.get("/admin/shop/hours/").await.text.contains("value=\"24:00\""));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_holiday_over_a_booked_day_and_less_capacity_list_the_bookings(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let mut references = Vec::new();
    for _ in 0..3 {
        references.push(book(&world, "10:00").await);
    }
    let (monday, reference) = references[0].clone();
    let day = monday.to_string();
    let fields = [("name", "Pongal"), ("from", day.as_str()), ("to", "")];
    let answer = owner.submit("/admin/shop/holidays/", &fields).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("on a holiday: Pongal") && answer.text.contains(&reference), "{}", answer.text);
    let seen = input(&answer, "confirmed");
    let fields = [("name", "Pongal"), ("from", day.as_str()), ("to", ""), ("confirmed", seen.as_str())];
    assert!(owner.submitted("/admin/shop/holidays/", &fields).await.text.contains("Pongal"));
    assert!(owner.submitted("/admin/shop/holidays/remove/", &[("date", &day)]).await.text.contains("Removed."));

    let answer = submit(&owner, "/admin/shop/", &shop(&owner, &[("shop_capacity", "2")]).await).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("more than fit at that time"), "{}", answer.text);
    assert_eq!(value(&world, "select shop_capacity::text from shops").await, "3");
    let answer =
        submit(&owner, "/admin/shop/", &shop(&owner, &[("shop_capacity", "4"), ("name", "Namma Garage")]).await).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(value(&world, "select shop_capacity || name from shops").await, "4Namma Garage");
    let history = owner.get("/admin/activity/?kind=shops").await;
    assert!(history.text.contains("3 → 4") && history.text.contains("→ Namma Garage"), "{}", history.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn hours_and_shop_say_what_is_wrong_beside_the_field(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    for (changes, sentence) in [
        ([("monday_opens", "9"), ("monday_closes", "19:00")], "Time has wrong format. Use hh:mm, up to 24:00."),
        ([("monday_opens", "09:10"), ("monday_closes", "19:00")], "Enter times on the quarter of an hour"),
        ([("monday_opens", "19:00"), ("monday_closes", "09:00")], "The shop must open before it closes."),
        ([("monday_opens", "09:00"), ("monday_closes", "")], "Enter both times, or none on a closed day."),
        ([("monday_opens", "09:00"), ("monday_closes", "24:15")], "Time has wrong format."),
    ] {
        let answer = submit(&owner, "/admin/shop/hours/", &hours(&owner, &changes).await).await;
        assert!(answer.status == 400 && answer.text.contains(sentence), "{changes:?}: {}", answer.text);
        assert!(answer.text.contains(&format!("value=\"{}\"", changes[0].1)), "the input is kept");
    }
    for (field, text, sentence) in [
        ("slot_minutes", "20", "Enter a multiple of 15 minutes"),
        ("slot_minutes", "", "A valid integer is required."),
        ("shop_capacity", "-1", "Ensure this value is greater than or equal to 0."),
        ("time_zone", "Mars/Olympus", "Enter a time zone such as Asia/Kolkata."),
        ("latitude", "91", "Enter degrees from -90 to 90"),
        ("phone", "123", "Enter a valid phone number."),
        ("email", "x", "Enter a valid email address."),
        ("name", "", "This field may not be blank."),
    ] {
        let answer = submit(&owner, "/admin/shop/", &shop(&owner, &[(field, text)]).await).await;
        assert!(answer.status == 400 && answer.text.contains(sentence), "{field}={text}: {}", answer.text);
    }
    for (from, to, sentence) in [
        ("", "", "This field may not be blank."),
        ("2027-01-14", "2027-01-13", "The last day is before the first."),
        ("2027-01-14", "2027-12-13", "Add at most 60 days at once."),
        ("0100-01-14", "", "Enter a day of this century."),
    ] {
        let answer = owner.submit("/admin/shop/holidays/", &[("name", "Break"), ("from", from), ("to", to)]).await;
        assert!(answer.status == 400 && answer.text.contains(sentence), "{from}: {}", answer.text);
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_stale_form_of_the_shop_or_its_hours_shows_both_values(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let mine = hours(&owner, &[("monday_opens", "08:00")]).await;
    let theirs = hours(&owner, &[("monday_opens", "11:00")]).await;
    assert_eq!(submit(&owner, "/admin/shop/hours/", &theirs).await.status, 303);
    let answer = submit(&owner, "/admin/shop/hours/", &mine).await;
    assert!(answer.status == 409 && answer.text.contains("<strong>11:00"), "{}", answer.text);
    assert_eq!(submit(&owner, "/admin/shop/hours/", &theirs).await.status, 303, "a second press changes nothing");

    let (mine, theirs) = (shop(&owner, &[("name", "Mine")]).await, shop(&owner, &[("name", "Theirs")]).await);
    assert_eq!(submit(&owner, "/admin/shop/", &theirs).await.status, 303);
    let answer = submit(&owner, "/admin/shop/", &mine).await;
    assert!(answer.status == 409 && answer.text.contains("<strong>Theirs</strong>"), "{}", answer.text);
    let mut again = mine;
    again[0].1 = input(&answer, "version");
    assert_eq!(submit(&owner, "/admin/shop/", &again).await.status, 303);
    assert_eq!(value(&world, "select name from shops").await, "Mine");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn with_redis_stopped_hours_and_holidays_stay(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let fields = hours(&owner, &[("monday_opens", "08:00")]).await;
    let (network, url) = Network::to_url(&testing::redis_url()).await;
    network.set(Fault::Stopped);
    let redis = testing::redis_at(&url, &testing::random_prefix());
    let cut_off = owner.through(&panel(&world.pool, &world.descope.url(), &world.redis, &redis));
    let before = value(&world, MONDAY).await;
    let answer = submit(&cut_off, "/admin/shop/hours/", &fields).await;
    assert!(answer.status == 503 && answer.text.contains("Nothing was changed"), "{}", answer.text);
    let answer = cut_off.submit("/admin/shop/holidays/", &[("name", "X"), ("from", "2027-01-14")]).await;
    assert!(answer.status == 503 && answer.text.contains("Nothing was changed"), "{}", answer.text);
    assert_eq!(value(&world, MONDAY).await, before);
    assert_eq!(value(&world, "select count(*)::text from holidays where date = '2027-01-14'").await, "0");
}

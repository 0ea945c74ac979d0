//! The drawer: movements of cash, and the count that closes a day.

use chrono::{Days, NaiveDate};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::{
    bookings::{Actor, booking},
    money::Money,
    payments::{
        drawer::{self, Count, Refused},
        refunds,
    },
};
use sqlx::{PgConnection, PgPool};

use crate::{
    OWNER, World,
    browser::{Browser, input},
};

async fn today(world: &World) -> NaiveDate {
    sqlx::query_scalar("select shop_clock(now())::date").fetch_one(&world.pool).await.unwrap()
}

/// Fills in the count of the page of a day.
async fn close(browser: &Browser, page: &testing::Answer, counted: &str, left: &str, reason: &str) -> testing::Answer {
    let (date, expected, key) = (input(page, "date"), input(page, "expected"), input(page, "form_key"));
    let fields = [
        ("date", date.as_str()),
        ("expected", &expected),
        ("form_key", &key),
        ("counted", counted),
        ("left", left),
        ("reason", reason),
    ];
    browser.submit("/admin/cash/", &fields).await
}

async fn days(world: &World) -> Value {
    let all =
        "select coalesce(json_agg(json_build_array(date, expected_paise, counted_paise, left_paise, reason, closed_by)
        order by date), '[]') from cash_days";
    sqlx::query_scalar(all).fetch_one(&world.pool).await.unwrap()
}

/// Moves everything that has happened a day into the past: the count as well, which otherwise never changes.
async fn a_day_passes(world: &World) {
    sqlx::raw_sql(
        "begin;
        alter table cash_movements disable trigger cash_movements_keep;
        alter table cash_days disable trigger cash_days_append_only;
        update cash_movements set at = at - interval '1 day', cash_day = cash_day - 1;
        update cash_days set date = date - 1, closed_at = closed_at - interval '1 day';
        set constraints all immediate;
        alter table cash_movements enable trigger cash_movements_keep;
        alter table cash_days enable trigger cash_days_append_only;
        commit",
    )
    .execute(&world.pool)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_day_is_counted_and_closed_and_later_cash_falls_into_the_next(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    let page = mechanic.get("/admin/cash/").await;
    assert!(page.text.contains("No cash was taken."), "{}", page.text);
    let (first, second) = (world.booked("10:00").await, world.booked("11:00").await);
    world.pay_cash(first).await;
    let refund = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, first.into()).await?;
        let (amount, desk) = (Money::from_paise(4_000), Actor::Staff("desk".to_owned()));
        refunds::request(connection, &booking, Some(amount), "Late", &desk).await
    };
    world.database().transaction(refund).await.unwrap();
    let page = mechanic.get("/admin/cash/").await;
    for part in ["John &lt;script&gt;", "₹390.00", "₹40.00", "₹350.00", ">desk<", &format!("/admin/bookings/{first}/")]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("Count the drawer"), "staff count nothing");
    assert_eq!(mechanic.submit("/admin/cash/", &[]).await.status, 403);

    let page = owner.get("/admin/cash/").await;
    for (counted, left, reason, sentence) in [
        ("340", "400", "", "This is more than was counted."),
        ("340", "100", "", "The count differs from what is expected."),
        ("x", "100", "Kept words", "Enter an amount in rupees, such as 1234.50."),
        ("", "100", "Kept words", "This field may not be blank."),
    ] {
        let answer = close(&owner, &page, counted, left, reason).await;
        assert!(answer.status == 400 && answer.text.contains(sentence), "{} {}", answer.status, answer.text);
        assert_eq!((input(&answer, "counted").as_str(), input(&answer, "reason").as_str()), (counted, reason));
    }
    assert_eq!(days(&world).await, json!([]));
    let answer = close(&owner, &page, "₹3,40.00", "100", "A note was torn <b>").await;
    let date = today(&world).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, format!("/admin/cash/?day={date}&done=closed").as_str())
    );
    assert_eq!(close(&owner, &page, "₹3,40.00", "100", "A note was torn <b>").await.status, 303, "sent twice");
    let user: i64 =
        sqlx::query_scalar("select id from users where email = $1").bind(OWNER).fetch_one(&world.pool).await.unwrap();
    let closed = json!([date, 35_000, 34_000, 10_000, "A note was torn <b>", format!("staff:user-{user}")]);
    assert_eq!(days(&world).await, json!([closed]));

    // Cash that is taken now is no part of the closed day, and is expected on the next.
    world.pay_cash(second).await;
    let page = owner.get("/admin/cash/").await;
    for part in ["Closed by", OWNER, "A note was torn &lt;b&gt;", "-₹10.00", "₹240.00"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(
        !page.text.contains("Count the drawer") && !page.text.contains(&format!("/admin/bookings/{second}/")),
        "{}",
        page.text
    );
    a_day_passes(&world).await;
    let page = owner.get("/admin/cash/").await;
    assert!(page.text.contains(&format!("/admin/bookings/{second}/")), "{}", page.text);
    assert_eq!(input(&page, "expected"), "49000", "100.00 of yesterday and 390.00");
    assert_eq!(close(&owner, &page, "490", "0", "").await.status, 303);
    let file = owner.get("/admin/cash/days.csv?sort=day").await;
    let lines: Vec<&str> = file.text.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(lines.len(), 3, "{}", file.text);
    assert!(lines[1].ends_with(&format!(",350.00,340.00,-10.00,100.00,A note was torn <b>,{OWNER}")), "{}", lines[1]);
    assert!(lines[2].ends_with(&format!(",490.00,490.00,0.00,0.00,,{OWNER}")), "{}", lines[2]);
    assert_eq!(owner.get("/admin/cash/days.csv?differs=yes").await.text.lines().count(), 2);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_count_of_a_drawer_that_has_changed_is_not_saved_and_the_new_sum_is_shown(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let (first, second) = (world.booked("10:00").await, world.booked("11:00").await);
    world.pay_cash(first).await;
    let page = owner.get("/admin/cash/").await;
    world.pay_cash(second).await;
    let answer = close(&owner, &page, "390", "50", "").await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(answer.text.contains("₹780.00 is expected now. Count again."), "{}", answer.text);
    assert_eq!(
        (input(&answer, "expected").as_str(), input(&answer, "counted").as_str(), input(&answer, "left").as_str()),
        ("78000", "390", "50")
    );
    assert_eq!(days(&world).await, json!([]));
    assert_eq!(close(&owner, &answer, "780", "50", "").await.status, 303);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn of_people_who_close_a_day_at_once_one_does_and_the_others_are_told_who(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.pay_cash(world.booked("10:00").await).await;
    let pages = join_all((0..8).map(|_| owner.get("/admin/cash/"))).await;
    let answers = join_all(pages.iter().map(|page| close(&owner, page, "390", "0", ""))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 303) {
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert!(answer.text.contains(&format!("{OWNER} has closed this day already")), "{}", answer.text);
    }
    assert_eq!(days(&world).await.as_array().unwrap().len(), 1);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn cash_that_is_taken_while_a_day_is_closed_is_in_exactly_one_day(pool: PgPool) {
    let world = World::new(pool).await;
    for week in 0..24 {
        world.book(testing::next(chrono::Weekday::Mon) + Days::new(7 * week), "10:00").await;
    }
    let bookings: Vec<i64> = sqlx::query_scalar("select id from bookings").fetch_all(&world.pool).await.unwrap();
    let date = today(&world).await;
    let desk = Actor::Staff("desk".to_owned());
    // Closes with what is expected, again each time that cash was recorded meanwhile.
    let close = async {
        let mut expected = 0;
        loop {
            let amount = Money::from_paise(expected);
            let count = Count { date, counted: amount, left: amount, reason: String::new(), expected: amount };
            let close = async |connection: &mut PgConnection| drawer::close(connection, &count, &desk).await;
            match world.database().transaction(close).await {
                Ok(()) => return expected,
                Err(Refused::Changed(now)) => expected = now.paise(),
                Err(refused) => panic!("{refused:?}"),
            }
        }
    };
    let (counted, _) =
        futures::future::join(close, join_all(bookings.iter().map(|booking| world.pay_cash(*booking)))).await;
    let sums: Value = sqlx::query_scalar(
        "select json_build_array((select expected_paise from cash_days),
            (select coalesce(sum(amount_paise), 0) from cash_movements where cash_day is not null),
            (select sum(amount_paise) from cash_movements), (select count(*) from cash_movements))",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(sums, json!([counted, counted, 24 * 39_000, 24]));
    // The rest is in the next day.
    let tomorrow = date.checked_add_days(Days::new(1)).unwrap();
    a_day_passes(&world).await;
    let drawer = drawer::open(&world.pool, Some(date)).await.unwrap();
    assert_eq!((drawer.expected.paise(), drawer.today < tomorrow), (24 * 39_000, true));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_day_to_come_and_a_day_before_the_last_closed_one_cannot_be_closed(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let date = today(&world).await;
    let page = owner.get("/admin/cash/").await;
    assert_eq!(close(&owner, &page, "0", "0", "").await.status, 303);
    let key = |number: i32| format!("{number:032}");
    for (day, status, sentence) in [
        (date.succ_opt().unwrap(), 400, "This day has not come yet."),
        (date.pred_opt().unwrap(), 409, "is closed already, so this day cannot be."),
        (date, 409, "has closed this day already"),
    ] {
        let (day, key) = (day.to_string(), key(status.into()) + &day.to_string());
        let fields = [("date", day.as_str()), ("expected", "0"), ("form_key", &key), ("counted", "0"), ("left", "0")];
        let answer = owner.submit("/admin/cash/", &fields).await;
        assert!(answer.status == status && answer.text.contains(sentence), "{day}: {} {}", answer.status, answer.text);
        assert!(!owner.get(&format!("/admin/cash/?day={day}")).await.text.contains("Count the drawer"), "{day}");
    }
    assert_eq!(days(&world).await.as_array().unwrap().len(), 1);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_database_refuses_changes_of_closed_days_and_of_movements(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.pay_cash(world.booked("10:00").await).await;
    let page = owner.get("/admin/cash/").await;
    assert_eq!(close(&owner, &page, "390", "0", "").await.status, 303);
    for change in [
        "update cash_days set counted_paise = 0",
        "delete from cash_days",
        "truncate cash_days cascade",
        "update cash_movements set amount_paise = 1",
        "update cash_movements set cash_day = null",
        "update cash_movements set capture_id = capture_id + 1",
        "delete from cash_movements",
        "truncate cash_movements",
    ] {
        let refused = sqlx::query(change).execute(&world.pool).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code();
        assert_eq!(code.as_deref(), Some("23001"), "{change}: {refused}");
    }
}

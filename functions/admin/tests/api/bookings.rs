//! Bookings in the panel: what can be done to one, by several people at once and twice, and what cannot.

use chrono::{NaiveDate, Weekday};
use serde_json::{Value, json};
use sqlx::PgPool;
use testing::Answer;

use crate::{Browser, World, browser::input};

pub(crate) fn monday() -> NaiveDate {
    testing::next(Weekday::Mon)
}

impl World {
    /// Books an hour of the next Monday; returns the path of the booking's page.
    pub(crate) async fn page_of(&self, time: &str) -> String {
        let reference = self.book(monday(), time).await;
        let id: i64 = sqlx::query_scalar("select id from bookings where reference = $1")
            .bind(reference)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        format!("/admin/bookings/{id}/")
    }

    /// Status, time, minutes, total and payment of the only booking.
    async fn stored(&self) -> Value {
        sqlx::query_scalar(
            "select json_build_object('status', booking_status, 'payment', payment_status, 'date', appointment_date,
                'time', to_char(appointment_time, 'HH24:MI'), 'place', service_location, 'minutes', duration_minutes,
                'total', total_paise) from bookings",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    /// Jobs in each quarter of the next Monday that is taken.
    async fn taken(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select pool || ' ' || to_char(time, 'HH24:MI') || ' ' || used from slot_usage where used > 0
            order by pool, time",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    pub(crate) async fn events(&self) -> Vec<String> {
        sqlx::query_scalar("select event || ' by ' || actor from booking_events order by id")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }
}

/// Submits a form with the version that the page has.
async fn act(browser: &Browser, page: &str, act: &str, fields: &[(&str, &str)]) -> Answer {
    let version = input(&browser.get(page).await, "version");
    submit(browser, page, act, &version, fields).await
}

async fn submit(browser: &Browser, page: &str, act: &str, version: &str, fields: &[(&str, &str)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("version", version)]).collect();
    browser.submit(&format!("{page}{act}/"), &fields).await
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_goes_from_step_to_step_and_is_paid_in_cash_at_the_end(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    for (to, button) in [("confirmed", "Confirm booking"), ("in_progress", "Start work"), ("completed", "Finish work")]
    {
        assert!(mechanic.get(&page).await.text.contains(button), "{button}");
        let answer = act(&mechanic, &page, "status", &[("to", to)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, format!("{page}?done=saved").as_str()));
    }
    let done = mechanic.get(&page).await;
    for button in ["Confirm booking", "Start work", "Finish work", "Cancel booking", "Move booking", "Add service"] {
        assert!(!done.text.contains(&format!("{button}</button>")), "{button} is shown");
    }
    let stored = world.stored().await;
    assert_eq!((&stored["status"], &stored["payment"]), (&json!("completed"), &json!("completed")));
    let actor = world.events().await[0].split(" by ").nth(1).unwrap().to_owned();
    assert!(actor.starts_with("staff:user-"), "{actor}");
    let expected = ["confirmed", "in_progress", "completed", "paid"].map(|event| format!("{event} by {actor}"));
    assert_eq!(world.events().await, expected);
    assert!(done.text.contains("mechanic@example.com"), "the timeline names the person");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn of_two_people_with_the_same_page_the_second_changes_nothing_and_sees_what_is(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic, page) = (world.owner().await, world.mechanic().await, world.page_of("10:00").await);
    let seen = input(&owner.get(&page).await, "version");
    assert_eq!(act(&mechanic, &page, "status", &[("to", "confirmed")]).await.status, 303);
    for (path, fields) in [
        ("status", [("to", "cancelled"), ("reason", "")]),
        ("move", [("date", &*monday().to_string()), ("time", "15:00")]),
        ("services", [("add", "5"), ("x", "")]),
        ("notes", [("notes", "mine"), ("internal_notes", "also mine")]),
        ("cash", [("amount", "390.00"), ("x", "")]),
    ] {
        let answer = submit(&owner, &page, path, &seen, &fields).await;
        assert_eq!(answer.status, 409, "{path}: {}", answer.text);
        assert!(answer.text.contains("Another user has changed this booking"), "{path}");
    }
    let kept = submit(&owner, &page, "notes", &seen, &[("notes", "mine"), ("internal_notes", "")]).await;
    assert!(kept.text.contains(">mine</textarea>"), "what was typed stays");
    let stored = world.stored().await;
    assert_eq!((&stored["status"], &stored["total"]), (&json!("confirmed"), &json!(39_000)));
    // The same press twice is no clash.
    assert_eq!(submit(&owner, &page, "status", &seen, &[("to", "confirmed")]).await.status, 303);
    assert_eq!(world.events().await.len(), 1);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn people_who_press_the_same_button_at_once_do_it_once(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic, page) = (world.owner().await, world.mechanic().await, world.page_of("10:00").await);
    let version = input(&owner.get(&page).await, "version");
    let fields = [("amount", "390.00")];
    let press = |browser| submit(browser, &page, "cash", &version, &fields);
    let answers = tokio::join!(press(&owner), press(&mechanic), press(&owner), press(&mechanic));
    let statuses = [answers.0.status, answers.1.status, answers.2.status, answers.3.status];
    assert!(statuses.iter().all(|status| *status == 303), "{statuses:?}");
    let captured: (i64, i64) = sqlx::query_as("select count(*), sum(amount_paise)::bigint from captures")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(captured, (1, 39_000));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_moves_to_any_minute_of_an_open_day_and_a_full_time_offers_free_ones(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    let day = monday().to_string();
    let answer = act(&mechanic, &page, "move", &[("date", &day), ("time", "12:10")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let quarters = ["12:00", "12:15", "12:30", "12:45", "13:00"].map(|time| format!("shop {time} 1"));
    assert_eq!(world.taken().await, quarters);
    sqlx::query("update shops set shop_capacity = 1, home_capacity = 1").execute(&world.pool).await.unwrap();
    let other = world.page_of("16:00").await;
    sqlx::query("update slot_usage set capacity = 1").execute(&world.pool).await.unwrap();
    let full = act(&mechanic, &other, "move", &[("date", &day), ("time", "12:30")]).await;
    assert_eq!(full.status, 409);
    assert!(full.text.contains("This time is full."), "{}", full.text);
    let free = full.text.split("name=\"free\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let forced = act(&mechanic, &other, "move", &[("date", &day), ("time", "12:30"), ("anyway", "yes")]).await;
    assert_eq!(forced.status, 303);
    assert!(world.events().await.last().unwrap().starts_with("overbooked by staff:user-"));
    let moved = act(&mechanic, &other, "move", &[("date", &day), ("time", "12:30"), ("free", &free)]).await;
    assert_eq!(moved.status, 303, "{}", moved.text);
    let home = [("date", &*day), ("time", "14:00"), ("location", "home"), ("address", "")];
    let refused = act(&mechanic, &other, "move", &home).await;
    assert_eq!(refused.status, 400, "a home visit needs an address");
    let home = [("date", &*day), ("time", "14:00"), ("location", "home"), ("address", "12 Hill Road")];
    assert_eq!(act(&mechanic, &other, "move", &home).await.status, 303);
    let at_home: Vec<String> = world.taken().await.into_iter().filter(|quarter| quarter.starts_with("home")).collect();
    assert_eq!(at_home, ["14:00", "14:15", "14:30", "14:45"].map(|time| format!("home {time} 1")));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn length_time_and_total_follow_the_services_until_the_booking_is_paid(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    let added: (i64, i64, i32) = sqlx::query_as(
        "select service.id, price.price_paise, service.duration_minutes
        from services service join service_prices price on price.service_id = service.id
        where price.vehicle_model_id = 7 and service.id <> 4 order by service.id limit 1",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    let first: i32 =
        sqlx::query_scalar("select duration_minutes from services where id = 4").fetch_one(&world.pool).await.unwrap();
    let service = added.0.to_string();
    assert_eq!(act(&mechanic, &page, "services", &[("add", &service)]).await.status, 303);
    let stored = world.stored().await;
    assert_eq!((&stored["total"], &stored["minutes"]), (&json!(39_000 + added.1), &json!(first + added.2)), "{stored}");
    let quarters = usize::try_from((first + added.2 + 14) / 15).unwrap();
    assert_eq!(world.taken().await.len(), quarters);
    // Twice is once.
    assert_eq!(act(&mechanic, &page, "services", &[("add", &service)]).await.status, 303);
    assert_eq!(world.stored().await, stored);
    assert_eq!(act(&mechanic, &page, "services", &[("remove", "4")]).await.status, 303);
    assert_eq!(world.stored().await["total"], json!(added.1));
    let last = act(&mechanic, &page, "services", &[("remove", &service)]).await;
    assert_eq!(last.status, 400);
    assert!(last.text.contains("A booking has at least one service"), "{}", last.text);
    let amount = format!("{}.{:02}", added.1 / 100, added.1 % 100);
    assert_eq!(act(&mechanic, &page, "cash", &[("amount", &amount)]).await.status, 303);
    let paid = act(&mechanic, &page, "services", &[("add", "4")]).await;
    assert_eq!(paid.status, 400, "{}", paid.text);
    assert_eq!(world.stored().await["total"], json!(added.1));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn cash_is_taken_for_the_total_that_was_shown_and_no_other(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    let answer = act(&mechanic, &page, "cash", &[("amount", "380.00")]).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("Take the whole total, 390.00."), "{}", answer.text);
    assert_eq!(world.stored().await["payment"], json!("pending"));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn cash_for_a_booking_that_was_paid_online_meanwhile_is_not_recorded(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    let seen = input(&mechanic.get(&page).await, "version");
    world.pay_online(1, "2026-03-02 17:00").await;
    let answer = submit(&mechanic, &page, "cash", &seen, &[("amount", "390.00")]).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(answer.text.contains("Another user has changed this booking"), "{}", answer.text);
    let methods: Vec<String> =
        sqlx::query_scalar("select method::text from payments join captures on payment_id = payments.id")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    assert_eq!(methods, ["razorpay"]);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_customer_can_be_said_not_to_have_come_only_once_the_time_has_begun(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    let early = act(&mechanic, &page, "no-show", &[]).await;
    assert_eq!(early.status, 400);
    assert!(early.text.contains("The appointment has not begun yet."), "{}", early.text);
    sqlx::query("update bookings set appointment_date = appointment_date - 14").execute(&world.pool).await.unwrap();
    sqlx::query("update slot_usage set date = date - 14").execute(&world.pool).await.unwrap();
    assert_eq!(act(&mechanic, &page, "no-show", &[]).await.status, 303);
    assert!(mechanic.get(&page).await.text.contains("Did not come"));
    assert_eq!((world.stored().await["status"].clone(), world.taken().await), (json!("cancelled"), Vec::new()));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn notes_of_the_shop_are_for_the_shop(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    let fields = [("notes", "Ring twice"), ("internal_notes", "<script>alert(1)</script> pays late")];
    assert_eq!(act(&mechanic, &page, "notes", &fields).await.status, 303);
    let shown = mechanic.get(&page).await;
    assert!(shown.text.contains("&lt;script&gt;alert(1)&lt;/script&gt; pays late"));
    assert!(!shown.text.contains("<script>alert"));
    let told = shared::bookings::timeline::list(&world.pool, shared::ids::BookingId(1)).await.unwrap();
    let told = json!(told).to_string();
    assert!(told.contains("notes_changed") && !told.contains("internal"), "{told}");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn papers_say_what_was_done_and_paid_in_the_person_s_language(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, page) = (world.mechanic().await, world.page_of("10:00").await);
    for (paper, words, hindi) in [
        ("job-card", ["Job card", "390.00"], "जॉब कार्ड"),
        ("receipt", ["This receipt is no tax invoice.", "Unpaid"], "रसीद"),
        ("roll", ["This receipt is no tax invoice.", "Unpaid"], "रसीद"),
        ("tag", ["John &lt;script&gt;", "Mon"], "सोम"),
    ] {
        let path = format!("{page}print/{paper}/");
        let paper = mechanic.get(&path).await;
        assert_eq!(paper.status, 200);
        for word in words {
            assert!(paper.text.contains(word), "{path}: {word}: {}", paper.text);
        }
        let chosen = mechanic
            .with("Referer", "https://api.example/admin/")
            .submit("/admin/language/", &[("language", "hi")])
            .await;
        assert_eq!(chosen.header("location"), "/admin/");
        let paper = mechanic.get(&path).await;
        mechanic.submit("/admin/language/", &[("language", "en")]).await;
        assert!(paper.text.contains(hindi) && paper.text.contains("<html lang=\"hi\""), "{path}: {}", paper.text);
    }
    assert_eq!(mechanic.get(&format!("{page}print/invoice/")).await.status, 404);
}

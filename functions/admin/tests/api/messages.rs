//! What staff see of messages, and do about them.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    Browser, World,
    browser::input,
    visits::{between, words},
};

const CHANNELS: &str = "insert into message_channels (channel, place) values ('whatsapp', 1), ('email', 2)";
const OPT_IN: &str = "insert into message_opt_ins (channel, recipient, how, at)
    select 'whatsapp', phone, 'booking', now() from customers";

async fn run(world: &World, sql: &str) {
    sqlx::raw_sql(sql).execute(&world.pool).await.unwrap();
}

/// Adds a message about a booking in a state.
async fn message(world: &World, booking: i64, kind: &str, channel: &str, state: &str) -> i64 {
    let sql = "insert into messages (cause, channel, recipient, kind, language, booking_id, state, reason, due_at,
            worthless_at, ended_at, leased_until)
        values ($2 || ' ' || $3 || ' ' || $4, $3, case $3 when 'email' then 'asha@example.com' else '+919876543210' end,
            $2, 'en', $1, $4, case $4 when 'failed' then 'bounced' when 'unknown' then 'no answer' else '' end, now(),
            now() + interval '2 days', case when $4 in ('failed', 'unknown', 'dropped') then now() end,
            case $4 when 'sending' then now() + interval '1 minute' end)
        returning id";
    sqlx::query_scalar(sql).bind(booking).bind(kind).bind(channel).bind(state).fetch_one(&world.pool).await.unwrap()
}

async fn rows(world: &World) -> Value {
    let sql =
        "select coalesce(json_agg(json_build_array(kind, channel, state, actor is not null, settled_at is not null)
        order by id), '[]') from messages";
    sqlx::query_scalar(sql).fetch_one(&world.pool).await.unwrap()
}

/// Presses a button beside a message, on a page that was just opened.
async fn press(browser: &Browser, booking: i64, message: i64, act: &str) -> u16 {
    let key = input(&browser.get("/admin/bookings/new/").await, "form_key");
    let fields = [("form_key", key.as_str()), ("message", &message.to_string()), ("act", act)];
    browser.submit(&format!("/admin/bookings/{booking}/messages/"), &fields).await.status
}

async fn section(browser: &Browser, booking: i64) -> String {
    let page = browser.get(&format!("/admin/bookings/{booking}/")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    words(between(&page.text, "<section aria-labelledby=\"messages\"", "</section>"))
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_shows_what_was_sent_by_which_way_and_what_became_of_it(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let booking = world.booked("10:00").await;
    let empty = section(&mechanic, booking).await;
    assert!(empty.contains("Nothing was sent for this booking."), "{empty}");
    assert!(empty.contains("No way to send messages is set up, so customers hear nothing from here."), "{empty}");
    run(&world, CHANNELS).await;
    message(&world, booking, "booking_created", "whatsapp", "failed").await;
    message(&world, booking, "booking_confirmed", "email", "delivered").await;
    message(&world, booking, "booking_reminder", "whatsapp", "unknown").await;
    message(&world, booking, "staff_booking_created", "email", "failed").await;
    message(&world, booking, "booking_paid", "email", "pending").await;
    let shown = section(&mechanic, booking).await;
    for part in [
        "Booking received Not delivered WhatsApp · +919876543210 ·",
        "Booking confirmed Delivered E-mail · asha@example.com ·",
        "Reminder Perhaps sent WhatsApp",
        "· no answer Send again It arrived Dealt with",
        "· bounced Send again Dealt with",
        "To the shop: new booking Not delivered",
        "Payment received To be sent",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(shown.matches("Send again").count(), 3, "not to the shop, and not what is still to be sent: {shown}");
    assert!(!shown.contains("No way to send"), "{shown}");
    let other = world.booked("12:00").await;
    assert!(section(&mechanic, other).await.contains("Nothing was sent for this booking."));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn sending_again_writes_one_new_message_by_the_best_way_of_today(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let booking = world.booked("10:00").await;
    run(&world, "update bookings set customer_email = 'asha@example.com'").await;
    run(&world, CHANNELS).await;
    let lost = message(&world, booking, "booking_confirmed", "whatsapp", "unknown").await;

    // Without consent to WhatsApp it goes by mail. The form is sent twice.
    let page = mechanic.get(&format!("/admin/bookings/{booking}/")).await;
    let key = between(&page.text, "<section aria-labelledby=\"messages\"", "</section>")
        .split("name=\"form_key\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    let fields = [("form_key", key.as_str()), ("message", &lost.to_string()), ("act", "again")];
    for _ in 0..2 {
        let answer = mechanic.submit(&format!("/admin/bookings/{booking}/messages/"), &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    let expected = json!([
        ["booking_confirmed", "whatsapp", "unknown", false, true],
        ["booking_confirmed", "email", "pending", true, false],
    ]);
    assert_eq!(rows(&world).await, expected);
    let shown = section(&mechanic, booking).await;
    assert!(shown.contains("sent again by") && shown.contains("dealt with by"), "{shown}");

    // While that waits there is no second one, also from several people at once.
    let again = futures::future::join_all((0..6).map(|_| press(&mechanic, booking, lost, "again"))).await;
    assert_eq!(again, [409; 6]);
    assert_eq!(rows(&world).await, expected);

    // On purpose it is sent once more after that, and by WhatsApp once the customer agrees; many at once are one.
    run(
        &world,
        "update messages set state = 'sending', leased_until = now() where state = 'pending';
        update messages set state = 'sent', leased_until = null where state = 'sending'",
    )
    .await;
    run(&world, OPT_IN).await;
    let pressed = futures::future::join_all((0..6).map(|_| press(&mechanic, booking, lost, "again"))).await;
    assert_eq!(pressed.iter().filter(|status| **status == 303).count(), 1, "{pressed:?}");
    assert_eq!(rows(&world).await[2], json!(["booking_confirmed", "whatsapp", "pending", true, false]));
    assert_eq!(rows(&world).await.as_array().unwrap().len(), 3);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn what_cannot_be_sent_again_is_refused_and_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    let (booking, other) = (world.booked("10:00").await, world.booked("12:00").await);
    let lost = message(&world, booking, "booking_confirmed", "whatsapp", "failed").await;
    let staff = message(&world, booking, "staff_booking_created", "email", "failed").await;
    let before = rows(&world).await;
    assert_eq!(press(&mechanic, booking, lost, "again").await, 409, "no channel is configured");
    run(&world, CHANNELS).await;
    assert_eq!(press(&mechanic, booking, lost, "again").await, 409, "neither address nor consent");
    assert_eq!(press(&mechanic, booking, staff, "again").await, 409, "it is for the shop's own people");
    assert_eq!(press(&mechanic, other, lost, "again").await, 404, "it belongs to another booking");
    for act in ["arrived", "dealt-with"] {
        assert_eq!(press(&mechanic, other, lost, act).await, 404, "{act}");
    }
    assert_eq!(press(&mechanic, booking, 99_999, "again").await, 404);
    assert_eq!(press(&mechanic, booking, lost, "delete").await, 400);
    run(&world, OPT_IN).await;
    run(
        &world,
        "insert into blocked_recipients (channel, recipient, reason) select 'whatsapp', phone, 'stop' from customers",
    )
    .await;
    assert_eq!(press(&mechanic, booking, lost, "again").await, 409, "the customer wrote STOP");
    assert_eq!(rows(&world).await, before);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn what_did_not_arrive_is_counted_until_it_is_dealt_with(pool: PgPool) {
    let world = World::new(pool).await;
    let (mechanic, owner) = (world.mechanic().await, world.owner().await);
    let booking = world.booked("10:00").await;
    let failed = message(&world, booking, "booking_confirmed", "email", "failed").await;
    let unknown = message(&world, booking, "booking_reminder", "whatsapp", "unknown").await;
    message(&world, booking, "booking_paid", "email", "delivered").await;
    // What another way has replaced has not failed.
    let replaced = message(&world, booking, "booking_created", "whatsapp", "failed").await;
    run(
        &world,
        &format!(
            "insert into messages (cause, channel, recipient, kind, language, booking_id, state, due_at, worthless_at,
                instead_of, is_fallback)
            values ('x', 'email', 'asha@example.com', 'booking_created', 'en', {booking}, 'sent', now(), now(), {replaced}, true)"
        ),
    )
    .await;
    let strip = async || words(between(&mechanic.get("/admin/").await.text, "<ul class=\"strip\"", "</ul>"));
    let link = "<a href=\"/admin/messages/?scope=undelivered\"><strong>2</strong> messages not delivered";
    assert!(mechanic.get("/admin/").await.text.contains(link));
    let list = mechanic.get("/admin/messages/?scope=undelivered").await.text;
    assert_eq!(list.matches("#messages\"").count(), 2, "{list}");
    assert!(!list.contains("messages.csv"), "addresses of customers are for administrators");
    assert!(owner.get("/admin/messages/?scope=undelivered").await.text.contains("messages.csv"));

    assert_eq!(press(&mechanic, booking, unknown, "arrived").await, 303);
    assert!(strip().await.contains("1 messages not delivered"), "{}", strip().await);
    assert_eq!(press(&mechanic, booking, failed, "dealt-with").await, 303);
    assert!(!strip().await.contains("not delivered"), "{}", strip().await);
    let page = words(&mechanic.get("/admin/messages/?scope=undelivered").await.text);
    assert!(page.contains("Every message has arrived or was dealt with."), "{page}");
    let states: Value = sqlx::query_scalar("select json_agg(state order by id) from messages where id in ($1, $2)")
        .bind(failed)
        .bind(unknown)
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(states, json!(["failed", "delivered"]));
}

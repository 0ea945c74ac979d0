//! Erasure of a customer: the person goes out of every table, and the books stay.

use serde_json::Value;
use sqlx::PgPool;
use testing::eventually;

use crate::{
    OWNER, World,
    browser::{Browser, input},
    customers::{ASHA, id_of, listed, run},
    visits::{Visit, between, words},
};

/// Opens the page that asks, and sends its form.
async fn erase(browser: &Browser, id: i64) -> testing::Answer {
    let path = format!("/admin/customers/{id}/erase/");
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    browser.submit(&path, &[("form_key", &input(&page, "form_key"))]).await
}

/// Every row of every table, as text.
async fn everything(world: &World) -> String {
    let tables: Vec<String> = sqlx::query_scalar("select relname::text from pg_stat_user_tables order by 1")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    let mut text = String::new();
    for table in tables {
        let rows = format!("select coalesce(string_agg(row::text, e'\\n'), '') from {table} as row");
        let rows: String = sqlx::query_scalar(&rows).fetch_one(&world.pool).await.unwrap();
        text.push_str(&rows);
        text.push('\n');
    }
    text
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn erasing_takes_the_person_out_of_every_table_and_leaves_the_books(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let home = world.visit(Visit { place: "home", paise: 75_010, ..Visit::default() }).await;
    world.pay_in_cash(home, "2026-03-02 17:00").await;
    world.give_back(home, 1_005, "2026-03-03 10:00").await;
    let shop = world.visit(Visit { day: "2026-03-09", status: "cancelled", ..Visit::default() }).await;
    run(
        &world,
        &format!(
            "update bookings set customer_email = 'asha@example.com', notes = 'gate code 12', internal_notes = 'rude dog'
                where id = {home};
            update customers set notes = 'knows the mayor';
            insert into reminder_opt_outs (customer_id) select id from customers;
            insert into booking_links (booking_id, token_sha256, scope, purpose)
                values ({home}, sha256('link'), 'change', 'staff');
            select write_event({shop}, 'cancelled', 'pending', 'cancelled', 'customer', 'moved to Pune');
            select write_event({shop}, 'rescheduled', 'pending', 'pending', 'customer', '',
                '{{\"appointment\": [\"2026-03-08 10:00\", \"2026-03-09 10:00\"], \"address\": [\"9 Hill Road\", \"\"],
                    \"notes\": [\"\", \"call Meera\"]}}')"
        ),
    )
    .await;
    let id = id_of(&world, ASHA).await;
    let personal = [
        "Asha",
        "9876543210",
        "asha@example.com",
        "Hill Road",
        "gate code",
        "rude dog",
        "mayor",
        "Pune",
        "Meera",
        "scratched",
    ];
    let before = everything(&world).await;
    assert_eq!(personal.map(|word| before.contains(word)), [true; 10], "the test looks in the right places");
    let books = "select json_build_object(
        'bookings', (select json_agg(json_build_array(id, reference, appointment_date, vehicle_model_id, total_paise,
            payment_status, booking_status) order by id) from bookings),
        'captures', (select json_agg(json_build_array(amount_paise, refunded_paise, captured_at)) from captures),
        'refunds', (select json_agg(json_build_array(amount_paise, state, created_at)) from refunds),
        'events', (select json_agg(json_build_array(event, actor, created_at, changes -> 'appointment') order by id)
            from booking_events))";
    let kept: Value = sqlx::query_scalar(books).fetch_one(&world.pool).await.unwrap();

    let page = erase(&owner, id).await;
    assert_eq!(page.status, 303, "{}", page.text);
    let after = everything(&world).await;
    assert_eq!(personal.map(|word| after.contains(word)), [false; 10], "{after}");
    assert_eq!(sqlx::query_scalar::<_, Value>(books).fetch_one(&world.pool).await.unwrap(), kept);
    let left = "select (select count(*) from booking_links) + (select count(*) from reminder_opt_outs)";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&world.pool).await.unwrap(), 0);
    let expired = "select bool_and(access_token_expires_at <= now()) from bookings";
    assert!(sqlx::query_scalar::<_, bool>(expired).fetch_one(&world.pool).await.unwrap());

    let page = owner.get(page.header("location")).await;
    assert!(page.text.contains("Erased. Bookings and money stay") && page.text.contains("<h1>Erased customer</h1>"));
    assert!(page.text.contains("₹740.05") && !page.text.contains("tel:") && !page.text.contains("/notes/"));
    let row = words(between(&owner.get("/admin/customers/").await.text, "<tbody>", "</tbody>"));
    assert!(row.contains("Erased customer") && !row.contains("+0"), "{row}");
    let activity = owner.get("/admin/activity/?kind=customers").await;
    let entry = words(between(&activity.text, "<tbody>", "</tbody>"));
    assert!(entry.contains(OWNER) && entry.contains("no → yes"), "{entry}");
    let again = owner.submit(&format!("/admin/customers/{id}/export/"), &[]).await;
    assert_eq!(again.status, 409, "{}", again.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_customer_is_not_erased_while_work_or_money_is_open(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.visit(Visit::default()).await;
    world.pay_online(booking, "2026-03-02 17:00").await;
    let id = id_of(&world, ASHA).await;
    let path = format!("/admin/customers/{id}/erase/");
    let form_key = input(&owner.get(&path).await, "form_key");
    let key = [("form_key", form_key.as_str())];
    for (open, close) in [
        ("update bookings set booking_status = 'pending'", "update bookings set booking_status = 'completed'"),
        ("update bookings set booking_status = 'confirmed'", "update bookings set booking_status = 'completed'"),
        ("update bookings set booking_status = 'in_progress'", "update bookings set booking_status = 'completed'"),
        ("update bookings set booking_status = 'cancelled'", "update bookings set booking_status = 'completed'"),
    ] {
        run(&world, open).await;
        let page = owner.get(&path).await;
        assert!(page.text.contains("To be done first") && !page.text.contains("class=\"danger\""), "{open}");
        let refused = owner.submit(&path, &key).await;
        assert_eq!(refused.status, 409, "{open}: {}", refused.text);
        run(&world, close).await;
    }
    world.give_back(booking, 5_000, "2026-03-03 10:00").await;
    for state in ["queued", "pending", "failed"] {
        run(&world, &format!("update refunds set state = '{state}'")).await;
        assert_eq!(owner.submit(&path, &key).await.status, 409, "{state}");
    }
    run(&world, "update refunds set state = 'processed'").await;
    for _ in 0..2 {
        let answer = owner.submit(&path, &key).await;
        assert_eq!(answer.status, 303, "sent twice it works once: {}", answer.text);
    }
    assert_eq!(owner.submit(&path, &[]).await.status, 409, "it is erased");
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_that_is_being_made_keeps_its_customer(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.visit(Visit::default()).await;
    let id = id_of(&world, ASHA).await;
    let mut other = world.pool.begin().await.unwrap();
    Visit { status: "pending", day: "2026-05-01", ..Visit::default() }.write(&mut other).await;
    let commit = async {
        let waits = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())";
        eventually("the erasure waits", async || sqlx::query_scalar(waits).fetch_one(&world.pool).await.unwrap()).await;
        other.commit().await.unwrap();
    };
    let (answer, ()) = futures::join!(erase(&owner, id), commit);
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert_eq!(id_of(&world, ASHA).await, id);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_booking_after_the_erasure_makes_a_new_customer_and_the_account_of_the_number_is_gone(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    world.visit(Visit::default()).await;
    let id = id_of(&world, ASHA).await;
    let user =
        "insert into users (username, phone, is_phone_verified) values ('asha', '+919876543210', true) returning id";
    let user: i64 = sqlx::query_scalar(user).fetch_one(&world.pool).await.unwrap();
    let page = owner.get(&format!("/admin/customers/{id}/")).await;
    assert!(page.text.contains(&format!("href=\"/admin/users/{user}/\"")), "{}", page.text);
    assert_eq!(erase(&owner, id).await.status, 303);
    world.visit(Visit { name: "Asha again", ..Visit::default() }).await;
    assert_ne!(id_of(&world, ASHA).await, id);
    assert_eq!(listed(&owner, "?q=98765").await, ["Asha again"]);
    assert_eq!(listed(&owner, "?q=000").await, [""; 0], "the number of an erased customer is not searched");
    let account = "select json_build_array(username, phone, is_phone_verified) from users where id = $1";
    let account: Value = sqlx::query_scalar(account).bind(user).fetch_one(&world.pool).await.unwrap();
    assert_eq!(account, serde_json::json!([format!("erased-{user}"), null, false]));
}

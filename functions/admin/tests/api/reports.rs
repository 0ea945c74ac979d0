//! Reports: counts by the day of the appointment, money by the day on which it moved, to the paisa.

use sqlx::PgPool;

use crate::{
    World,
    browser::Browser,
    visits::{Visit, between, words},
};

const MARCH: &str = "from=2026-03-01&to=2026-03-31";

/// The lines of a table's file, without its heading and the mark before it.
async fn table(browser: &Browser, table: &str, query: &str) -> Vec<String> {
    let file = browser.get(&format!("/admin/reports.csv?table={table}&{query}")).await;
    assert_eq!(file.status, 200, "{}", file.text);
    file.text.lines().skip(1).map(ToOwned::to_owned).collect()
}

/// Paise of an amount in rupees.
fn paise(rupees: &str) -> i64 {
    rupees.replace('.', "").trim_start_matches('\'').parse().expect(rupees)
}

/// March: cash of 1,000.10 of which 100.05 went back on the next day; 750.10 online, paid late in the evening, of which 1.01
/// went back at once and 99.00 in April; 39.07 in cash in February, given back in March; and bookings without money.
async fn play(world: &World) {
    let former = world.visit(Visit { paise: 3_907, day: "2026-02-27", ..Visit::default() }).await;
    world.pay_in_cash(former, "2026-02-28 23:59:59").await;
    world.give_back(former, 3_907, "2026-03-01 00:00").await;
    let cash = world.visit(Visit { paise: 100_010, ..Visit::default() }).await;
    world.pay_in_cash(cash, "2026-03-02 17:00").await;
    world.give_back(cash, 10_005, "2026-03-03 09:00").await;
    let online =
        Visit { phone: "+918123456789", name: "Ravi", paise: 75_010, day: "2026-03-10", model: 8, ..Visit::default() };
    let online = world.visit(online).await;
    world.pay_online(online, "2026-03-31 23:59:59").await;
    world.give_back(online, 9_900, "2026-04-01 00:00").await;
    world.give_back(online, 101, "2026-03-31 23:59:59").await;
    for (day, status) in [("2026-03-12", "cancelled"), ("2026-03-13", "cancelled"), ("2026-03-14", "confirmed")] {
        world.visit(Visit { day, status, ..Visit::default() }).await;
    }
    sqlx::query("update bookings set is_no_show = true where appointment_date = '2026-03-13'")
        .execute(&world.pool)
        .await
        .unwrap();
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_numbers_of_a_period_are_those_of_its_rows_beside_the_period_before(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    play(&world).await;
    let expected = [
        "Bookings,5,1,400",
        "Finished jobs,2,1,100",
        "Cancelled,2,0,",
        "Did not come,1,0,",
        "New customers,1,1,0",
        "Returning customers,1,0,",
        // 1000.10 - 100.05 - 39.07 in cash; 750.10 - 1.01 online.
        "Revenue,1610.07,39.07,4021",
        "Revenue in cash,860.98,39.07,2104",
        "Revenue online,749.09,0.00,",
        "Still due,390.00,0.00,",
    ];
    assert_eq!(table(&owner, "overview", MARCH).await, expected);
    let expected = [
        "Cash,1000.10,139.12,860.98,39.07,2104",
        "Online,750.10,1.01,749.09,0.00,",
        "All,1750.20,140.13,1610.07,39.07,4021",
    ];
    assert_eq!(table(&owner, "revenue", MARCH).await, expected);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn days_weeks_and_months_add_up_to_the_rows_to_the_paisa(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    play(&world).await;
    let (from, to) = ("2026-02-01", "2026-04-30");
    let rows = "select (select sum(amount_paise) from captures where state = 'captured')::bigint
        - (select sum(amount_paise) from refunds where state <> 'failed')::bigint";
    let kept: i64 = sqlx::query_scalar(rows).fetch_one(&world.pool).await.unwrap();
    for (by, count) in [("day", 89), ("week", 14), ("month", 3)] {
        let lines = table(&owner, "time", &format!("by={by}&from={from}&to={to}")).await;
        assert_eq!(lines.len(), count, "{by}");
        let sum = |column: usize| -> i64 { lines.iter().map(|line| paise(line.split(',').nth(column).unwrap())).sum() };
        assert_eq!(sum(5) + sum(6), kept, "{by}");
        assert_eq!(sum(7), kept, "{by}");
        let bookings: i64 = lines.iter().map(|line| line.split(',').nth(1).unwrap().parse::<i64>().unwrap()).sum();
        assert_eq!(bookings, 6, "{by}");
    }
    let days = table(&owner, "time", &format!("by=day&from={from}&to={to}")).await;
    let moved: Vec<&str> = days.iter().map(String::as_str).filter(|line| !line.contains(",0.00,0.00,0.00,")).collect();
    let expected = [
        "2026-02-28,0,0,0,0,39.07,0.00,39.07,0.00",
        "2026-03-01,0,0,0,0,-39.07,0.00,-39.07,0.00",
        "2026-03-02,1,1,0,0,1000.10,0.00,1000.10,0.00",
        "2026-03-03,0,0,0,0,-100.05,0.00,-100.05,0.00",
        "2026-03-31,0,0,0,0,0.00,749.09,749.09,0.00",
        "2026-04-01,0,0,0,0,0.00,-99.00,-99.00,0.00",
    ];
    assert_eq!(moved, expected);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_failed_refund_is_not_given_back_and_cash_for_an_online_payment_is_cash(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let booking = world.visit(Visit { paise: 50_000, ..Visit::default() }).await;
    world.pay_online(booking, "2026-03-02 12:00").await;
    world.give_back(booking, 10_000, "2026-03-04 12:00").await;
    world.give_back(booking, 5_000, "2026-03-05 12:00").await;
    sqlx::raw_sql(
        "update refunds set state = 'failed' where amount_paise = 10000;
        update refunds set by_hand = 'cash' where amount_paise = 5000",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let revenue = table(&owner, "revenue", MARCH).await;
    assert_eq!(revenue[..2], ["Cash,0.00,50.00,-50.00,0.00,", "Online,500.00,0.00,500.00,0.00,"]);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn staff_see_counts_and_no_rupees(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, mechanic) = (world.owner().await, world.mechanic().await);
    play(&world).await;
    let page = mechanic.get(&format!("/admin/reports/?{MARCH}")).await;
    assert_eq!(page.status, 200);
    for word in ["₹", "Revenue", "/admin/payments/?", "Still due", "1000.10"] {
        assert!(!page.text.contains(word), "{word}");
    }
    assert_eq!(mechanic.get(&format!("/admin/reports.csv?table=revenue&{MARCH}")).await.status, 403);
    for name in ["overview", "time", "services", "models", "use"] {
        let lines = table(&mechanic, name, MARCH).await;
        let all = table(&owner, name, MARCH).await;
        assert!(
            !lines.is_empty() && lines.iter().all(|line| !line.contains(".00,0.00") && !line.contains("1610.07")),
            "{lines:?}"
        );
        assert!(all.len() >= lines.len());
    }
    assert_eq!(mechanic.get("/admin/reports.csv?table=none").await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn each_number_leads_to_its_list(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    play(&world).await;
    let page = owner.get(&format!("/admin/reports/?{MARCH}&by=week")).await;
    for address in [
        "/admin/bookings/?date_from=2026-03-01&amp;date_to=2026-03-31",
        "/admin/bookings/?date_from=2026-03-01&amp;date_to=2026-03-31&amp;status=completed",
        "/admin/bookings/?date_from=2026-03-02&amp;date_to=2026-03-08&amp;status=cancelled",
        "/admin/bookings/?date_from=2026-03-01&amp;date_to=2026-03-31&amp;status=completed&amp;service=4",
        "/admin/bookings/?date_from=2026-03-01&amp;date_to=2026-03-31&amp;status=completed&amp;model=%238",
        "/admin/bookings/?date_from=2026-03-01&amp;date_to=2026-03-31&amp;place=shop",
        "/admin/bookings/?date_from=2026-03-01&amp;date_to=2026-03-31&amp;paid=no",
        "/admin/payments/?captured_from=2026-03-01&amp;captured_to=2026-03-31&amp;method=cash",
        "/admin/customers/?created_from=2026-03-01&amp;created_to=2026-03-31",
        "/admin/customers/?visited_from=2026-03-01&amp;visited_to=2026-03-31&amp;created_to=2026-02-28",
        "/admin/reports.csv?table=time&amp;by=week&amp;from=2026-03-01&amp;to=2026-03-31",
    ] {
        assert!(page.text.contains(&format!("href=\"{address}\"")), "{address}");
    }
    let returning =
        owner.get("/admin/customers/?visited_from=2026-03-01&visited_to=2026-03-31&created_to=2026-02-28").await;
    assert!(returning.text.contains("1 in all"), "as many as the report says: {}", words(&returning.text));
    let new = owner.get("/admin/customers/?created_from=2026-03-01&created_to=2026-03-31").await;
    assert!(new.text.contains("1 in all"), "{}", words(&new.text));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn use_counts_booked_quarters_against_open_ones_without_holidays(pool: PgPool) {
    let world = World::new(pool).await;
    let mechanic = world.mechanic().await;
    sqlx::raw_sql(
        "update shops set shop_capacity = 2, home_capacity = 1;
        delete from opening_hours;
        insert into opening_hours (shop_id, weekday, opens_at, closes_at)
        select shop_id(), weekday, '10:00', '12:00' from generate_series(1, 5) as weekday;
        insert into holidays (shop_id, date) values (shop_id(), '2026-03-04')",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    for (day, time, status) in [
        ("2026-03-02", "10:30", "completed"),
        ("2026-03-03", "10:00", "confirmed"),
        ("2026-03-03", "10:00", "cancelled"),
        ("2026-02-24", "11:00", "completed"),
    ] {
        world.visit(Visit { day, time, status, ..Visit::default() }).await;
    }
    // Monday to Friday, of which Wednesday is a holiday: 4 open days beside the 5 of the week before.
    let expected = [
        "At the shop,10:00–11:00,1.50,8.00,19,0",
        "At the shop,11:00–12:00,0.50,8.00,6,10",
        "Home visits,10:00–11:00,0.00,4.00,0,0",
        "Home visits,11:00–12:00,0.00,4.00,0,0",
    ];
    assert_eq!(table(&mechanic, "use", "from=2026-03-02&to=2026-03-08").await, expected);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_charts_are_pictures_with_a_title_and_without_styles(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    play(&world).await;
    let page = owner.get(&format!("/admin/reports/?{MARCH}")).await;
    assert_eq!(page.text.matches("<svg role=\"img\" aria-labelledby=").count(), 2);
    assert_eq!(page.text.matches("<rect ").count(), 62, "a bar for each day, twice");
    assert!(page.text.contains("<title>Mon 2 Mar: 1</title>") && page.text.contains("Mon 2 Mar: ₹1,000.10"));
    assert!(!page.text.contains(" style="), "the policy blocks inline styles");
    let empty = owner.get("/admin/reports/?from=2020-01-01&to=2020-01-31").await;
    assert!(!empty.text.contains("<svg") && empty.text.contains("Nothing was finished in this period."));
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn without_days_the_last_thirty_are_shown_and_days_in_the_wrong_order_are_turned(pool: PgPool) {
    let world = World::empty(pool).await;
    let owner = world.owner().await;
    assert_eq!(table(&owner, "time", "").await.len(), 30);
    assert_eq!(table(&owner, "time", "from=2026-03-31&to=2026-03-01").await.len(), 31);
    assert_eq!(table(&owner, "time", "to=2026-03-31").await.len(), 30);
    assert_eq!(table(&owner, "time", "from=1900-01-01&to=2026-03-31").await.len(), 1096, "at most three years");
    let page = owner.get("/admin/reports/?from=x&by=year&to=").await;
    assert_eq!(between(&page.text, "<h1>", "</h1>"), "Reports");
}

//! Pages of the list of bookings: their links, their counts, and what they read.

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use testing::{Answer, Client};

use super::{book, desk, ids};

/// Where a link of a page leads.
pub(super) fn path<'a>(answer: &'a Answer, link: &str) -> Option<&'a str> {
    answer.body[link].as_str()
}

/// The number of the page that a link leads to. The link goes by key all the same.
pub(super) fn page_of(answer: &Answer, link: &str) -> Option<i32> {
    let path = path(answer, link)?;
    assert!(path.contains(if link == "next" { "&after=" } else { "&before=" }), "{path}");
    let number = path.split("page=").nth(1)?.split('&').next()?;
    number.parse().ok()
}

/// All pages that follow from a first one through a link.
async fn walk(desk: &Client, first: &str, link: &str) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path_of_page) = next {
        let page = desk.get(&path_of_page).await;
        pages.push(ids(&page));
        next = path(&page, link).map(ToOwned::to_owned);
    }
    pages
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pages_hold_each_booking_once_and_count_all(pool: PgPool) {
    let desk = desk(&pool).await;
    for number in 0..23 {
        let status = if number % 2 == 0 { "pending" } else { "confirmed" };
        let (date, time) = (format!("2026-03-0{}", 1 + number % 4), format!("{:02}:00", 9 + number % 3));
        book(&pool, &json!({ "status": status, "date": date, "time": time })).await;
    }
    let all = ids(&desk.get("/api/staff/bookings/").await);
    assert_eq!(all.len(), 23);
    let mut seen = Vec::new();
    for number in 1..=4 {
        let page = desk.get(&format!("/api/staff/bookings/?page={number}&page_size=7")).await;
        assert_eq!(page.body["count"], 23);
        assert_eq!(page_of(&page, "next"), (number < 4).then_some(number + 1));
        assert_eq!(page_of(&page, "previous"), (number > 1).then_some(number - 1));
        seen.extend(ids(&page));
    }
    assert_eq!(seen, all);
    let page = desk.get("/api/staff/bookings/?status=confirmed&page=2&page_size=5&search=doe").await;
    assert_eq!((&page.body["count"], ids(&page).len()), (&json!(11), 5));
    let same = "/api/staff/bookings/?status=confirmed&search=doe&page=3&page_size=5&after=";
    assert!(path(&page, "next").unwrap().starts_with(same), "{}", page.text);
    let beyond = desk.get("/api/staff/bookings/?page=1000000000&page_size=20").await;
    assert_eq!((&beyond.body["count"], &beyond.body["data"]), (&json!(23), &json!([])));
    assert_eq!(beyond.body["previous"], "/api/staff/bookings/?page=2&page_size=20", "the last page");
    let of_no_list = desk.get("/api/staff/bookings/?page_size=7&after=x&before=1.y").await;
    let sentence = json!(["Take this value from `next` or `previous` of a list."]);
    assert_eq!(of_no_list.body["details"], json!({ "after": sentence, "before": sentence }));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn links_lead_through_each_order_forth_and_back(pool: PgPool) {
    let desk = desk(&pool).await;
    for number in 0..11 {
        let (date, paise) = (format!("2026-03-0{}", 1 + number % 4), 100 * (1 + number % 3));
        book(&pool, &json!({ "date": date, "paise": paise })).await;
    }
    sqlx::query("update bookings set created_at = created_at - id % 5 * interval '1 day'")
        .execute(&pool)
        .await
        .unwrap();
    for ordering in
        ["", "appointment_date", "-appointment_date", "created_at", "-created_at", "total_amount", "-total_amount"]
    {
        let path = format!("/api/staff/bookings/?ordering={ordering}");
        let all = ids(&desk.get(&path).await);
        let pages: Vec<Vec<i64>> = all.chunks(3).map(<[i64]>::to_vec).collect();
        assert_eq!(walk(&desk, &format!("{path}&page_size=3"), "next").await, pages, "{ordering}");
        let last = format!("{path}&page_size=3&page=4");
        let back: Vec<Vec<i64>> = pages.into_iter().rev().collect();
        assert_eq!(walk(&desk, &last, "previous").await, back, "{ordering}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn links_visit_each_booking_once_while_others_are_booked_and_moved(pool: PgPool) {
    let desk = desk(&pool).await;
    for number in 1..=9 {
        book(&pool, &json!({ "date": format!("2026-03-0{number}") })).await;
    }
    let (mut seen, mut next) = (Vec::new(), Some("/api/staff/bookings/?page_size=2".to_owned()));
    while let Some(path_of_page) = next {
        let page = desk.get(&path_of_page).await;
        seen.extend(ids(&page));
        next = path(&page, "next").map(ToOwned::to_owned);
        // In front of all pages that are still to come.
        book(&pool, &json!({ "date": format!("2026-02-0{}", seen.len()) })).await;
        sqlx::query("update bookings set appointment_date = '2026-01-31' where id = $1")
            .bind(seen.last())
            .execute(&pool)
            .await
            .unwrap();
    }
    assert_eq!(seen, (1..=9).collect::<Vec<i64>>());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn ten_thousand_bookings_are_counted_exactly_and_more_as_ten_thousand(pool: PgPool) {
    let desk = desk(&pool).await;
    fill(&pool, 10_000).await;
    let page = async |query: &str| desk.get(&format!("/api/staff/bookings/?{query}")).await;
    for query in ["page_size=1", "page_size=1&status=pending&payment_method=cash"] {
        let exact = page(query).await.body;
        assert_eq!((&exact["count"], exact.get("count_capped")), (&json!(10_000), None), "{query}");
    }
    fill(&pool, 1).await;
    let first = page("page_size=100").await;
    assert_eq!((&first.body["count"], &first.body["count_capped"]), (&json!(10_000), &json!(true)));
    assert_eq!((page_of(&first, "next"), &first.body["previous"]), (Some(2), &Value::Null));
    let middle = page("page_size=100&page=100").await;
    assert_eq!((page_of(&middle, "previous"), page_of(&middle, "next")), (Some(99), Some(101)));
    for last in [page("page_size=100&page=101").await, desk.get(path(&middle, "next").unwrap()).await] {
        assert_eq!((ids(&last).len(), page_of(&last, "previous"), &last.body["next"]), (1, Some(100), &Value::Null));
    }
    let whole = page("").await.body;
    assert_eq!((&whole["count"], &whole["count_capped"]), (&json!(10_000), &json!(true)));
    let found = page("search=1&date_to=2025-12-31").await.body;
    assert_eq!((&found["count"], found.get("count_capped")), (&json!(0), None));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_of_many_long_bookings_is_cut_to_its_last_page(pool: PgPool) {
    let desk = desk(&pool).await;
    fill(&pool, 10_050).await;
    sqlx::query("update bookings set address = repeat(chr(34), 500), notes = repeat(chr(34), 3000) where id > 9500")
        .execute(&pool)
        .await
        .unwrap();
    let listed = desk.get("/api/staff/bookings/").await;
    assert!(listed.text.len() < 5_500_000, "{}", listed.text.len());
    let by_appointment = "select id from bookings order by appointment_date, appointment_time, id desc";
    let all: Vec<i64> = sqlx::query_scalar(by_appointment).fetch_all(&pool).await.unwrap();
    assert_eq!((ids(&listed), &listed.body["next"]), (all[9_950..].to_vec(), &Value::Null));
    assert_eq!(ids(&desk.get(path(&listed, "previous").unwrap()).await), all[9_850..9_950]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_page_reads_as_many_rows_however_many_bookings_there_are_and_however_deep_it_is(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    // One connection, which can tell what it has read.
    let pool = options.max_connections(1).connect_with(database).await.unwrap();
    let desk = desk(&pool).await;
    fill(&pool, 30_000).await;
    sqlx::query("vacuum analyze bookings").execute(&pool).await.unwrap();
    // The rows of the page, the one that tells whether another follows, and those that are counted.
    let most = 2 * 20 + 1 + 10_001;
    for query in ["page_size=20", "page_size=20&ordering=-appointment_date", "page_size=20&ordering=created_at"] {
        let before = rows_read(&pool).await;
        let first = desk.get(&format!("/api/staff/bookings/?{query}")).await;
        assert_eq!(ids(&first).len(), 20);
        let after = rows_read(&pool).await;
        assert!(after - before <= most + 5, "{query}: {} rows", after - before);
        // By number once, from where its links lead on.
        let middle = desk.get(&format!("/api/staff/bookings/?{query}&page=1300")).await;
        for link in ["next", "previous"] {
            let before = rows_read(&pool).await;
            assert_eq!(ids(&desk.get(path(&middle, link).unwrap()).await).len(), 20);
            let after = rows_read(&pool).await;
            assert!(after - before <= most + 5, "{query}, {link}: {} rows", after - before);
        }
    }
}

/// How many rows of bookings and entries of their indexes Postgres has read.
async fn rows_read(pool: &PgPool) -> i64 {
    sqlx::query("select pg_stat_force_next_flush()").execute(pool).await.unwrap();
    let read = "select (select seq_tup_read from pg_stat_user_tables where relname = 'bookings')
        + (select sum(idx_tup_read) from pg_stat_user_indexes where relname = 'bookings')::bigint";
    sqlx::query_scalar(read).fetch_one(pool).await.unwrap()
}

/// Adds so many bookings, three at each hour from 2026 on.
async fn fill(pool: &PgPool, count: i32) {
    let fill = "
        begin;
        insert into customers (phone) values ('+919876543210') on conflict do nothing;
        insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
            payment_method, access_token_sha256, access_token_expires_at, created_at)
        select gen_random_uuid()::text, customers.id, 'John Doe', 7, 'shop', date '2026-01-01' + n / 24,
            time '09:00' + n % 8 * interval '1 hour', 60, quarters(time '09:00' + n % 8 * interval '1 hour', 60), 60, 100,
            'cash', sha256('x'), now(), timestamptz '2026-01-01 00:00+00' + n * interval '1 minute'
        from customers, generate_series(1, COUNT) n;
        insert into booking_services (booking_id, service_id, price_paise)
        select id, 4, total_paise from bookings where not exists (select from booking_services where booking_id = bookings.id);
        commit";
    sqlx::raw_sql(&fill.replace("COUNT", &count.to_string())).execute(pool).await.unwrap();
}

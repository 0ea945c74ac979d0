//! CSV files: where they are cut, and what a spreadsheet makes of their texts.

use sqlx::PgPool;

use crate::{World, customers::run, visits::Visit};

/// What Lambda lets a function answer.
const LARGEST_ANSWER: usize = 6_000_000;

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_file_that_would_be_too_long_or_too_large_is_cut_and_says_so(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    run(
        &world,
        "insert into customers (phone) values ('+919876543210');
        begin;
        insert into bookings (
            reference, customer_id, customer_name, vehicle_model_id, service_location, appointment_date, appointment_time,
            occupied_minutes, slot_times, duration_minutes, total_paise, payment_method, access_token_sha256,
            access_token_expires_at
        )
        select 'RMB-' || lpad(n::text, 5, '0') || '-00000', 1, 'Asha', 7, 'shop', date '2026-01-01' + n % 300, '10:00', 15,
            array[time '10:00'], 15, 39000, 'cash', sha256('x'), now()
        from generate_series(1, 25001) n;
        insert into booking_services (booking_id, service_id, price_paise) select id, 4, 39000 from bookings;
        commit;",
    )
    .await;
    for page in [1, 500, 501] {
        let list = owner.get(&format!("/admin/bookings/?page={page}")).await;
        assert_eq!(list.status, 200);
        assert!(list.text.contains(" of 10,000+</p>"), "{page}");
    }
    let file = owner.get("/admin/bookings.csv?sort=id").await;
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!((file.status, lines.len()), (200, 25_002));
    assert!(lines[25_000].starts_with("25000,RMB-25000-00000,Asha,"), "{}", lines[25_000]);
    assert_eq!(lines[25_001], "\"Cut: 25000 of 25001 rows. Filter for fewer.\"");
    let whole = owner.get("/admin/bookings.csv?date_to=2026-01-31").await;
    assert!(!whole.text.contains("Cut: "), "no row is missing");

    run(&world, "update bookings set customer_name = repeat('a', 200)").await;
    let file = owner.get("/admin/bookings.csv?sort=id").await;
    let last = file.text.lines().last().unwrap();
    let rows = file.text.lines().count() - 2;
    assert_eq!(last, format!("\"Cut: {rows} of 25001 rows. Filter for fewer.\""));
    assert!((10_000..25_000).contains(&rows), "{rows}");
    assert!(file.bytes.len().div_ceil(3) * 4 < LARGEST_ANSWER, "{} bytes, sent as base64", file.bytes.len());
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_formula_in_a_customer_s_words_is_a_text_in_every_file(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let formulas = ["=HYPERLINK(\"http://x.example\",\"1\")", "+1+1", "-1+1", "@SUM(A1:A9)", "\t=1+1", "\r=1+1"];
    for (number, name) in formulas.into_iter().enumerate() {
        let phone =
            ["+919876543210", "+919876543211", "+919876543212", "+919876543213", "+919876543214", "+919876543215"];
        let id = world.visit(Visit { phone: phone[number], name, ..Visit::default() }).await;
        sqlx::query("update bookings set customer_email = $2 where id = $1")
            .bind(id)
            .bind(name)
            .execute(&world.pool)
            .await
            .unwrap();
    }
    for (path, title) in [("/admin/bookings.csv", "Customer"), ("/admin/customers.csv", "Name")] {
        let file = owner.get(path).await;
        let mut reader = csv::Reader::from_reader(file.text.strip_prefix('\u{feff}').unwrap().as_bytes());
        let titles = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), formulas.len(), "{path}");
        for column in [title, "E-mail", "Phone"] {
            let place = titles.iter().position(|other| other == column).unwrap();
            assert!(rows.iter().all(|row| row[place].starts_with('\'')), "{path}: {column}");
        }
        for (number, row) in rows.iter().enumerate() {
            let is_harmless = |cell: &str| !cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(row.iter().all(is_harmless), "{path}: row {number}: {row:?}");
        }
    }
}

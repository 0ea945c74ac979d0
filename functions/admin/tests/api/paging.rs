//! Pages of lists that grow with the bookings: their counts and links.

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Browser, World, customers::run};

/// Adds so many bookings of one customer, eight a day from 2026 on, the first of them done and paid.
async fn fill(world: &World, count: usize) {
    let fill = "
        insert into customers (phone) values ('+919876543210') on conflict do nothing;
        begin;
        insert into bookings (
            reference, customer_id, customer_name, vehicle_model_id, service_location, appointment_date, appointment_time,
            occupied_minutes, slot_times, duration_minutes, total_paise, payment_method, payment_status, booking_status,
            access_token_sha256, access_token_expires_at
        )
        select gen_random_uuid()::text, customers.id, 'Asha', 7, 'shop', date '2026-01-01' + n / 8,
            time '09:00' + n % 8 * interval '1 hour', 60, quarters(time '09:00' + n % 8 * interval '1 hour', 60), 60, 100, 'cash',
            'completed', 'completed', sha256('x'), now()
        from customers, generate_series(1, COUNT) n;
        insert into booking_services (booking_id, service_id, price_paise)
        select id, 4, 100 from bookings where not exists (select from booking_services where booking_id = bookings.id);
        commit";
    run(world, &fill.replace("COUNT", &count.to_string())).await;
}

/// The references on a page, and where its links to the pages beside it lead.
struct Page {
    references: Vec<String>,
    text: String,
}

impl Page {
    async fn get(browser: &Browser, path: &str) -> Self {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        let cells = page.text.split("data-label=\"Reference\">").skip(1);
        let references = cells.map(|cell| cell.split("</a>").next().unwrap().rsplit('>').next().unwrap().to_owned());
        Self { references: references.collect(), text: page.text }
    }

    fn link(&self, rel: &str) -> Option<String> {
        let rest = self.text.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
        Some(rest.split('"').next()?.replace("&amp;", "&"))
    }

    fn scope(&self, title: &str) -> &str {
        let rest = self.text.split(&format!("{title} <span class=\"count\">")).nth(1).expect(title);
        rest.split('<').next().unwrap()
    }

    fn says(&self, text: &str) {
        assert!(self.text.contains(text), "{text}: {}", self.text);
    }
}

async fn references(world: &World) -> Vec<String> {
    let order = "select reference from bookings order by appointment_date desc, appointment_time desc, id";
    sqlx::query_scalar(order).fetch_all(&world.pool).await.unwrap()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn ten_thousand_bookings_are_counted_exactly_and_more_are_shown_as_more(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    fill(&world, 10_000).await;
    let exact = Page::get(&owner, "/admin/bookings/").await;
    assert_eq!(["All", "Done", "Unpaid"].map(|scope| exact.scope(scope)), ["10000", "1,000+", "0"]);
    exact.says("1–50 of 10000</p>");
    exact.says("Page 1 of 200<");
    exact.says("All 10000 that match");
    fill(&world, 1).await;
    run(&world, "update bookings set booking_status = 'cancelled', payment_status = 'pending' where id = 1").await;
    let more = Page::get(&owner, "/admin/bookings/").await;
    assert_eq!(["All", "Done", "Cancelled", "Unpaid"].map(|scope| more.scope(scope)), ["10,000+", "1,000+", "1", "0"]);
    more.says("1–50 of 10,000+</p>");
    more.says("Page 1<");
    more.says("All 10,000+ that match");
    let filtered = Page::get(&owner, "/admin/bookings/?status=cancelled").await;
    filtered.says("1 in all");
    let many = Page::get(&owner, "/admin/bookings/?paid=yes&method=cash").await;
    many.says("1–50 of 10000</p>");
    let last = Page::get(&owner, "/admin/bookings/?page=201").await;
    assert_eq!((last.references.len(), last.link("next")), (1, None));
    let fields = [("which", "all"), ("query", ""), ("count", "10001"), ("to", "cancelled")];
    let refused = owner.submit("/admin/bookings/bulk/", &fields).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("10,000+ bookings are too many"), "{}", refused.text);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn links_lead_to_each_booking_once_while_others_are_booked(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    fill(&world, 220).await;
    let all = references(&world).await;
    let (mut seen, mut next) = (Vec::new(), Some("/admin/bookings/?place=shop".to_owned()));
    let mut last = String::new();
    while let Some(path) = next {
        assert!(path.contains("place=shop"), "{path}");
        let page = Page::get(&owner, &path).await;
        next = page.link("next");
        seen.extend(page.references);
        last = path;
        // Above all that were seen.
        run(
            &world,
            "with new as (
                insert into bookings (
                    reference, customer_id, customer_name, vehicle_model_id, service_location, appointment_date,
                    appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise, payment_method,
                    access_token_sha256, access_token_expires_at
                )
                select gen_random_uuid()::text, customer_id, customer_name, 7, 'shop', date '2027-01-01', '10:00', 60,
                    quarters('10:00', 60), 60, 100, 'cash', sha256('x'), now()
                from bookings where id = 1
                returning id
            )
            insert into booking_services (booking_id, service_id, price_paise) select id, 4, 100 from new",
        )
        .await;
    }
    assert_eq!(seen, all);
    let (mut back, mut previous) = (Vec::new(), Some(last));
    while let Some(path) = previous {
        let page = Page::get(&owner, &path).await;
        previous = page.link("prev");
        back.splice(0..0, page.references);
    }
    assert_eq!(back, references(&world).await, "those that were booked meanwhile too");
    for sort in ["customer", "-total", "id"] {
        let sorted = Page::get(&owner, &format!("/admin/bookings/?sort={sort}")).await;
        assert_eq!(sorted.link("next"), Some(format!("/admin/bookings/?page=2&sort={sort}")), "by number");
        assert_eq!(Page::get(&owner, &sorted.link("next").unwrap()).await.references.len(), 50);
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_page_reads_as_many_bookings_however_many_there_are(options: PgPoolOptions, database: PgConnectOptions) {
    // One connection, which can tell what it has read.
    let world = World::new(options.max_connections(1).connect_with(database).await.unwrap()).await;
    let owner = world.owner().await;
    fill(&world, 30_000).await;
    run(&world, "vacuum analyze bookings").await;
    // The rows of the page, the one that tells whether another follows, and those by which the scopes of all and of what is
    // done are counted.
    let most = 2 * 51 + 10_001 + 1_001;
    let middle = Page::get(&owner, "/admin/bookings/?page=300").await;
    for path in ["/admin/bookings/", &middle.link("next").unwrap(), &middle.link("prev").unwrap()] {
        let before = rows_read(&world.pool, &["bookings"]).await;
        assert_eq!(Page::get(&owner, path).await.references.len(), 50);
        let read = rows_read(&world.pool, &["bookings"]).await - before;
        assert!(read <= most + 20, "{path}: {read} rows");
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn the_board_of_a_day_reads_as_much_however_many_bookings_there_were(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let world = World::new(options.max_connections(1).connect_with(database).await.unwrap()).await;
    let owner = world.owner().await;
    fill(&world, 10_000).await;
    let paid_in_their_quarters = "
        with payment as (
            insert into payments (booking_id, method, amount_paise, state, actor)
            select id, 'cash', 100, 'settled', 'test' from bookings returning id, booking_id
        )
        insert into captures (payment_id, booking_id, state, amount_paise, pays_booking, captured_at)
        select id, booking_id, 'captured', 100, true, now() from payment;
        insert into slot_usage (pool, date, time, used, capacity)
        select 'shop', appointment_date, quarter, 1, 3 from bookings, unnest(slot_times) as quarter
        on conflict do nothing";
    run(&world, paid_in_their_quarters).await;
    run(&world, "vacuum analyze").await;
    let tables = ["bookings", "captures", "payments", "slot_usage", "bookings_with_open_money"];
    let before = rows_read(&world.pool, &tables).await;
    let board = owner.get("/admin/?day=2026-01-05").await;
    assert_eq!(board.status, 200);
    assert_eq!(board.text.matches("<article class=\"job").count(), 8);
    // A week of eight bookings a day, each in four quarters, and the eight of the day.
    let read = rows_read(&world.pool, &tables).await - before;
    assert!(read < 1000, "{read} rows");
}

/// How many rows of these tables and entries of their indexes Postgres has read.
async fn rows_read(pool: &PgPool, tables: &[&str]) -> i64 {
    sqlx::query("select pg_stat_force_next_flush()").execute(pool).await.unwrap();
    let read = "select ((select sum(seq_tup_read) from pg_stat_user_tables where relname = any ($1))
        + (select sum(idx_tup_read) from pg_stat_user_indexes where relname = any ($1)))::bigint";
    sqlx::query_scalar(read).bind(tables).fetch_one(pool).await.unwrap()
}

//! Capacity becomes counted in quarters of an hour while the release before, which counts in slots, goes on booking.

use chrono::{Days, NaiveDate, Weekday};
use shared::database::MIGRATOR;
use sqlx::{Error, PgConnection, PgPool};

/// The first migration of the change.
const FIRST: i64 = 20_261_128_080_000;

async fn migrate(pool: &PgPool, is_wanted: impl Fn(i64) -> bool) {
    for migration in MIGRATOR.iter().filter(|migration| is_wanted(migration.version)) {
        if migration.no_tx {
            sqlx::raw_sql(&migration.sql).execute(pool).await.unwrap();
            continue;
        }
        let mut transaction = pool.begin().await.unwrap();
        sqlx::raw_sql(&migration.sql).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

/// A database of the release before: a shop with three bays and two crews, open on Mondays from nine to seven.
async fn before(pool: &PgPool) {
    migrate(pool, |version| version < FIRST).await;
    sqlx::raw_sql(
        "insert into shops (name, address, phone, email, latitude, longitude, time_zone, slot_minutes, shop_capacity,
            home_capacity, home_radius_km, minimum_notice_minutes, booking_horizon_days)
        values ('Namma', 'MG Road', '+919876543210', 'a@example.com', 12, 77, 'Asia/Kolkata', 60, 3, 2, 8, 60, 60);
        insert into opening_hours values (1, 1, '09:00', '19:00');
        insert into vehicle_types (name, slug) values ('Scooter', 'scooter');
        insert into vehicle_brands (vehicle_type_id, name) values (1, 'Honda');
        insert into vehicle_models (vehicle_brand_id, name, fuel) values (1, 'Activa', 'petrol');
        insert into service_categories (name) values ('Care');
        insert into services (service_category_id, name, duration_minutes) values (1, 'Wash', 30);
        insert into customers (phone) values ('+919876543210')",
    )
    .execute(pool)
    .await
    .unwrap();
}

fn monday() -> NaiveDate {
    testing::next(Weekday::Mon)
}

/// What the release before writes.
struct Old {
    location: &'static str,
    date: NaiveDate,
    slots: &'static [&'static str],
    work_minutes: i32,
}

fn home(slots: &'static [&'static str], work_minutes: i32) -> Old {
    Old { location: "home", date: monday(), slots, work_minutes }
}

impl Old {
    async fn insert(&self, connection: &mut PgConnection) -> Result<i64, Error> {
        sqlx::query_scalar(
            "with booking as (
                insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location, address,
                    appointment_date, appointment_time, slot_times, duration_minutes, total_paise, payment_method,
                    access_token_sha256, access_token_expires_at)
                select 'R' || (select count(*) from bookings), 1, 'John Doe', 1, $1::service_location, 'MG Road', $2,
                    ($3::time[])[1], $3::time[], $4, 39000, 'cash', sha256('token'), now()
                returning id
            ), line as (
                insert into booking_services (booking_id, service_id, price_paise) select id, 1, 39000 from booking
            )
            select id from booking",
        )
        .bind(self.location)
        .bind(self.date)
        .bind(self.slots)
        .bind(self.work_minutes)
        .fetch_one(connection)
        .await
    }

    async fn book(&self, pool: &PgPool) -> Result<i64, Error> {
        let mut transaction = pool.begin().await?;
        let id = self.insert(&mut transaction).await?;
        self.take(&mut transaction, None, false).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Takes the slots and frees those of a booking, with the statement of the release before.
    async fn take(&self, connection: &mut PgConnection, freed: Option<i64>, is_forced: bool) -> Result<(), Error> {
        sqlx::query(
            "with freed as (
                select service_location as pool, appointment_date as date, slot as time
                from bookings, unnest(slot_times) as slot where id = $5
            ), taken as (
                select $1::service_location as pool, $2::date as date, slot as time from unnest($3::time[]) as slot
            ), change as (
                (select *, 1 as take from taken except select *, 1 from freed)
                union all (select *, 0 from freed except select *, 0 from taken)
            )
            insert into slot_usage as slot (pool, date, time, used, capacity, overbooked)
            select pool, date, time, take, $4, case when $6 then greatest(take - $4, 0) else 0 end
            from change
            order by pool, date, time
            on conflict (pool, date, time) do update set
                used = slot.used + case excluded.used when 1 then 1 else -1 end,
                capacity = case excluded.used when 1 then excluded.capacity else slot.capacity end,
                overbooked = case
                    when excluded.used = 1 and $6 then greatest(slot.used + 1 - excluded.capacity, 0)
                    when excluded.used = 1 then least(slot.overbooked, greatest(slot.used - excluded.capacity, 0))
                    else least(slot.overbooked, greatest(slot.used - 1 - slot.capacity, 0))
                end",
        )
        .bind(self.location)
        .bind(self.date)
        .bind(self.slots)
        .bind(if self.location == "home" { 2 } else { 3 })
        .bind(freed)
        .bind(is_forced)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Moves a booking here.
    async fn hold(&self, pool: &PgPool, id: i64, is_forced: bool) -> Result<(), Error> {
        let mut transaction = pool.begin().await?;
        self.take(&mut transaction, Some(id), is_forced).await?;
        sqlx::query("update bookings set appointment_date = $2, appointment_time = ($3::time[])[1], slot_times = $3::time[] where id = $1")
            .bind(id)
            .bind(self.date)
            .bind(self.slots)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }
}

/// Cancels a booking with the statements of the release before.
async fn cancel(pool: &PgPool, id: i64) {
    let mut transaction = pool.begin().await.unwrap();
    home(&[], 0).take(&mut transaction, Some(id), false).await.unwrap();
    let cancel = sqlx::query("update bookings set booking_status = 'cancelled' where id = $1");
    cancel.bind(id).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

/// The jobs in each quarter of Monday's home visits, as stretches with the same number. First checks that they are those of
/// the bookings.
async fn usage(pool: &PgPool) -> Vec<(String, i32)> {
    let wrong: i64 = sqlx::query_scalar(
        "select count(*) from slot_usage full join (
            select service_location as pool, appointment_date as date, quarter as time, count(*) as held
            from bookings, unnest(quarters(appointment_time, occupied_minutes)) as quarter
            where booking_status <> 'cancelled' and appointment_date >= current_date - 1
            group by 1, 2, 3
        ) as held using (pool, date, time)
        where coalesce(used, 0) <> coalesce(held, 0)",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(wrong, 0, "quarters that do not count their bookings");
    let quarters: Vec<(String, i32)> = sqlx::query_as(
        "select left(time::text, 5), used from slot_usage where pool = 'home' and date = $1 and used > 0 order by time",
    )
    .bind(monday())
    .fetch_all(pool)
    .await
    .unwrap();
    quarters
}

fn stretch(from: u32, until: u32, used: i32) -> impl Iterator<Item = (String, i32)> {
    (from * 4..until * 4).map(move |quarter| (format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15), used))
}

fn constraint(outcome: Result<impl Sized, Error>) -> Option<String> {
    let error = outcome.err()?;
    error.as_database_error()?.constraint().map(str::to_owned)
}

#[sqlx::test(migrations = false)]
async fn existing_bookings_are_recut_into_quarters(pool: PgPool) {
    before(&pool).await;
    let past = monday() - Days::new(70);
    let day: &[&str] = &["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00", "17:00", "18:00"];
    for (old, status) in [
        (home(&["10:00", "11:00"], 90), "confirmed"),
        (home(&["11:00"], 60), "in_progress"),
        (home(&["14:00"], 30), "cancelled"),
        (home(&["18:00"], 30), "completed"),
        (Old { location: "shop", ..home(day, 700) }, "pending"),
        (Old { date: past, ..home(&["10:00", "11:00"], 90) }, "completed"),
        (Old { date: past, ..home(&["10:00"], 30) }, "in_progress"),
        // Booked when the shop closed later and slots were half an hour.
        (home(&["17:30", "18:00", "18:30", "19:00"], 110), "pending"),
    ] {
        let id = old.book(&pool).await.unwrap();
        let set = sqlx::query("update bookings set booking_status = $2::booking_status where id = $1");
        set.bind(id).bind(status).execute(&pool).await.unwrap();
    }
    migrate(&pool, |version| version >= FIRST).await;
    let recut: Vec<(i32, bool)> = sqlx::query_as(
        "select occupied_minutes, slot_times = quarters(appointment_time, occupied_minutes) from bookings order by id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(recut, [120, 60, 60, 60, 600, 120, 60, 110].map(|minutes| (minutes, true)));
    let mut expected: Vec<(String, i32)> = stretch(10, 11, 1).chain(stretch(11, 12, 2)).collect();
    expected.extend([("17:30".to_owned(), 1), ("17:45".to_owned(), 1)]);
    expected.extend(stretch(18, 19, 2).chain(stretch(19, 20, 1).take(2)));
    assert_eq!(usage(&pool).await, expected);
}

#[sqlx::test(migrations = false)]
async fn the_release_before_goes_on_booking_and_nothing_is_oversold(pool: PgPool) {
    before(&pool).await;
    for _ in 0..2 {
        home(&["10:00", "11:00"], 90).book(&pool).await.unwrap();
    }
    migrate(&pool, |version| version >= FIRST).await;
    // What is full is refused by the constraint that the old code knows, so that it answers 409.
    let full = Some("slot_usage_capacity_check".to_owned());
    assert_eq!(constraint(home(&["09:00", "10:00"], 90).book(&pool).await), full);
    let id = home(&["12:00", "13:00"], 90).book(&pool).await.unwrap();
    let both = || stretch(10, 12, 2);
    assert_eq!(usage(&pool).await, both().chain(stretch(12, 14, 1)).collect::<Vec<_>>());
    // A move onto itself, a forced one into what is full, and back.
    home(&["13:00", "14:00"], 90).hold(&pool, id, false).await.unwrap();
    assert_eq!(usage(&pool).await, both().chain(stretch(13, 15, 1)).collect::<Vec<_>>());
    assert_eq!(constraint(home(&["11:00", "12:00"], 90).hold(&pool, id, false).await), full);
    home(&["11:00", "12:00"], 90).hold(&pool, id, true).await.unwrap();
    let forced = stretch(10, 11, 2).chain(stretch(11, 12, 3)).chain(stretch(12, 13, 1));
    assert_eq!(usage(&pool).await, forced.collect::<Vec<_>>());
    cancel(&pool, id).await;
    assert_eq!(usage(&pool).await, both().collect::<Vec<_>>());
    assert_eq!(constraint(home(&["11:00"], 60).book(&pool).await), full, "overbooking leaves no room");
    // Other hours cut other slots: the old code counts the first quarter of each, the trigger the others.
    for slot in [&["10:30"], &["11:30"], &["09:30"]] {
        assert_eq!(constraint(home(slot, 60).book(&pool).await), full, "{slot:?}");
    }
    assert_eq!(usage(&pool).await, both().collect::<Vec<_>>());
}

#[sqlx::test(migrations = false)]
async fn hours_and_slots_are_rounded_to_quarters(pool: PgPool) {
    before(&pool).await;
    sqlx::raw_sql(
        "insert into opening_hours values (1, 2, '09:10', '23:59'), (1, 3, '09:05', '09:10'), (1, 4, '08:45', '18:50'),
            (1, 5, '23:50', '23:59');
        update shops set slot_minutes = 50",
    )
    .execute(&pool)
    .await
    .unwrap();
    migrate(&pool, |version| version >= FIRST).await;
    let week: Vec<(i16, String, String)> =
        sqlx::query_as("select weekday, opens_at::text, closes_at::text from opening_hours order by weekday")
            .fetch_all(&pool)
            .await
            .unwrap();
    let day = |weekday: i16, opens: &str, closes: &str| (weekday, format!("{opens}:00"), format!("{closes}:00"));
    assert_eq!(week, [day(1, "09:00", "19:00"), day(2, "09:15", "24:00"), day(4, "08:45", "18:45")]);
    let (slot_minutes, version): (i32, i64) =
        sqlx::query_as("select slot_minutes, version from shops, catalogue_versions").fetch_one(&pool).await.unwrap();
    assert_eq!((slot_minutes, version > 1), (60, true), "cached answers of before are out of reach");
}

//! Services of a booking that change while others book: capacity holds, and the total is that of the lines.
#![expect(clippy::unwrap_used, reason = "test code")]

use shared::{
    Error,
    bookings::{
        self, Actor, Booking,
        appointment::Rules,
        booking,
        lines::{self, Change},
    },
    database::{Database, MIGRATOR},
    ids::{BookingId, ServiceId},
};
use sqlx::{PgConnection, PgPool};

/// Two bookings of an hour after each other, and one place.
async fn shop(pool: &PgPool) -> Database {
    testing::import_catalogue(pool, &testing::redis()).await;
    for statement in [
        "update shops set shop_capacity = 1",
        "update services set duration_minutes = 60 where id in (4, 6)",
        "insert into customers (phone) values ('+919876543210')",
        "with booking as (
            insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
                appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                payment_method, access_token_sha256, access_token_expires_at)
            select 'R' || place, 1, 'John Doe', 7, 'shop', date, time, 60, quarters(time, 60), 60, 39000, 'cash', sha256('x'), now()
            from (values (1, time '10:00'), (2, '12:00')) as wanted (place, time), (
                select current_date + 7 + (8 - extract(isodow from current_date))::integer as date
            ) as monday
            returning id, appointment_date, slot_times
        ), line as (
            insert into booking_services (booking_id, service_id, price_paise) select id, 4, 39000 from booking
        )
        insert into slot_usage (pool, date, time, used, capacity)
        select 'shop', appointment_date, unnest(slot_times), 1, 1 from booking",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    Database::from(pool.clone())
}

async fn change(database: &Database, id: i64, change: Change, rules: Rules) -> Result<Booking, Error> {
    let work = async |connection: &mut PgConnection| {
        let booking = booking::lock(connection, BookingId(id)).await?;
        lines::change(connection, booking, change, &Actor::Staff("desk".to_owned()), rules).await
    };
    bookings::transaction(database, work).await
}

/// Quarters that are taken, and by how many.
async fn taken(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select to_char(time, 'HH24:MI') || ' ' || used from slot_usage where used > 0 order by time")
        .fetch_all(pool)
        .await
        .unwrap()
}

fn hours(hours: &[u32]) -> Vec<String> {
    hours.iter().flat_map(|hour| [0, 15, 30, 45].map(|minute| format!("{hour}:{minute:02} 1"))).collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_service_that_needs_a_full_time_is_added_only_by_overbooking(pool: PgPool) {
    let database = shop(&pool).await;
    change(&database, 1, Change::Add(ServiceId(6)), Rules::Counter).await.unwrap();
    assert_eq!(taken(&pool).await, hours(&[10, 11, 12]));
    sqlx::query("update services set duration_minutes = 30 where id = 4").execute(&pool).await.unwrap();
    // The booking at 12 cannot begin at 11 any more: its own hour is what it has.
    let before: i64 =
        sqlx::query_scalar("select total_paise from bookings where id = 1").fetch_one(&pool).await.unwrap();
    let moved = sqlx::query("update services set duration_minutes = 120 where id = 6").execute(&pool).await;
    assert!(moved.is_ok());
    change(&database, 1, Change::Remove(ServiceId(4)), Rules::Counter).await.unwrap();
    assert_eq!(taken(&pool).await, hours(&[10, 11, 12]), "120 minutes of one service instead of two");
    let full = change(&database, 1, Change::Add(ServiceId(4)), Rules::Counter).await;
    assert!(matches!(full, Err(Error::SlotFull(_))), "{full:?}");
    let total: i64 =
        sqlx::query_scalar("select total_paise from bookings where id = 1").fetch_one(&pool).await.unwrap();
    assert_eq!(total, before - 39_000, "nothing of the refused change stays");
    change(&database, 1, Change::Add(ServiceId(4)), Rules::Overbook).await.unwrap();
    let events: Vec<String> = sqlx::query_scalar("select event from booking_events where booking_id = 1 order by id")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(events, ["services_changed", "services_changed", "services_changed", "overbooked"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn people_who_add_and_remove_at_once_leave_one_sum_and_no_taken_time_behind(pool: PgPool) {
    let database = shop(&pool).await;
    let tasks: Vec<_> = (0..24)
        .map(|turn| {
            let database = database.clone();
            tokio::spawn(async move {
                let wanted = if turn % 2 == 0 { Change::Add(ServiceId(6)) } else { Change::Remove(ServiceId(6)) };
                change(&database, 1 + turn / 2 % 2, wanted, Rules::Counter).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for id in [1, 2] {
        change(&database, id, Change::Remove(ServiceId(6)), Rules::Counter).await.unwrap();
    }
    assert_eq!(taken(&pool).await, hours(&[10, 12]));
    let wrong: i64 = sqlx::query_scalar(
        "select count(*) from bookings where total_paise <> 39000 or duration_minutes <> 60 or occupied_minutes <> 60",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(wrong, 0);
}

//! Capacity while the shop's hours and slot length change: what was booked stays counted.

use futures::future::join_all;
use serde_json::{Value, json};
use shared::{
    Error,
    catalogue::{
        change,
        hours::{OpeningHours, set_week},
    },
    database::{Database, MIGRATOR},
    history::{Author, Source},
};
use sqlx::PgPool;
use testing::Client;

use super::{book, booking_with, environments, monday, shop, used};

/// Changes Monday's opening and the length of slots, as a deployer or the owner does.
async fn recut(pool: &PgPool, opens_at: &str, slot_minutes: i32) {
    let week = [OpeningHours { weekday: 1, opens_at: opens_at.parse().unwrap(), closes_at: "19:00".parse().unwrap() }];
    // A connection per change, as in functions.
    let database = Database::new((*pool.connect_options()).clone());
    let work = async |connection: &mut sqlx::PgConnection| {
        set_week(connection, &week).await?;
        sqlx::query("update shops set slot_minutes = $1").bind(slot_minutes).execute(connection).await?;
        Ok::<_, Error>(((), true))
    };
    change(&database, &testing::redis(), &Author::system(Source::Panel), work).await.unwrap();
}

/// The quarters of the bookings that are not cancelled, each with how many there are. First checks that Postgres counts
/// the same.
async fn held(pool: &PgPool) -> Vec<i64> {
    let counts: Vec<(i64, i64)> = sqlx::query_as(
        "
        select coalesce(used, 0)::bigint, coalesce(held, 0)
        from slot_usage
        full join (
            select service_location as pool, appointment_date as date, quarter as time, count(*) as held
            from bookings
            cross join lateral generate_series(
                appointment_date + appointment_time,
                appointment_date + appointment_time + (occupied_minutes - 1) * interval '1 minute',
                interval '15 minutes'
            ) as moment
            cross join lateral (select moment::time as quarter) as clock
            where booking_status <> 'cancelled'
            group by 1, 2, 3
        ) as held using (pool, date, time)
        ",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(counts.iter().all(|(used, held)| used == held), "{counts:?}");
    counts.into_iter().map(|(_, held)| held).collect()
}

/// Monday's starts for a home visit of an hour or less, with what is available.
async fn home_starts(client: &Client) -> Vec<(String, i64)> {
    let answer = client.get(&format!("/api/slots/?date={}&service_location=home", monday())).await;
    let slots = answer.body["data"].as_array().unwrap().clone();
    slots
        .iter()
        .map(|slot| (slot["time"].as_str().unwrap()[..5].to_owned(), slot["available"].as_i64().unwrap()))
        .collect()
}

fn home_visit(time: &str) -> Value {
    booking_with(&json!({
        "service_location": "home", "address": "1 Main St", "appointment_time": time, "service_ids": [2]
    }))
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_sold_stays_sold_when_the_shop_opens_at_another_time(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::query("update services set duration_minutes = 90 where id = 2").execute(&pool).await.unwrap();
    for _ in 0..2 {
        book(&client, &home_visit("10:00")).await;
    }
    recut(&pool, "10:30", 60).await;
    let starts = home_starts(&client).await;
    let expected = [("10:30", 0), ("11:30", 0), ("12:30", 2)].map(|(time, free)| (time.to_owned(), free));
    assert_eq!(starts[..3], expected, "both crews are out from 10:00 to 12:00");
    for time in ["10:30", "11:30"] {
        let refused = client.post("/api/bookings/", &home_visit(time)).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("SLOT_FULL")), "{time}");
    }
    book(&client, &home_visit("12:30")).await;
    assert_eq!(held(&pool).await.into_iter().max(), Some(2));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_frees_what_it_took_and_moves_by_the_rules_of_now(pool: PgPool) {
    let client = shop(&pool).await;
    sqlx::query("update services set duration_minutes = 90 where id = 2").execute(&pool).await.unwrap();
    let moved = book(&client, &home_visit("10:00")).await;
    let cancelled = book(&client, &home_visit("14:00")).await;
    recut(&pool, "09:30", 45).await;
    let target = json!({ "appointment_date": monday(), "appointment_time": "11:00" });
    assert_eq!(moved.owner(&client).patch(&moved.path, &target).await.status, 200);
    let cancel = cancelled.owner(&client).post(&format!("{}cancel/", cancelled.path), &json!({})).await;
    assert_eq!(cancel.status, 200);
    let mut usage = vec![];
    for time in ["10:00", "10:45", "11:00", "12:15", "12:30", "14:00", "15:45"] {
        usage.push(used(&pool, "home", time).await);
    }
    assert_eq!(usage, [0, 0, 1, 1, 0, 0, 0], "90 minutes are two slots of 45");
    held(&pool).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_quarter_is_oversold_while_hours_and_slot_length_change(pool: PgPool) {
    shop(&pool).await;
    sqlx::query("update services set duration_minutes = 90 where id = 2").execute(&pool).await.unwrap();
    let environments = environments(&pool.connect_options(), 24);
    // Starts on every quarter from nine to six, most of which are a slot under some of the rules.
    let times: Vec<String> = (0..36).map(|quarter| format!("{:02}:{:02}", 9 + quarter / 4, quarter % 4 * 15)).collect();
    let bodies: Vec<Value> = (0..144).map(|turn| home_visit(&times[turn * 7 % 36])).collect();
    let requests = bodies.iter().enumerate().map(|(turn, body)| environments[turn % 24].post("/api/bookings/", body));
    let changes = async {
        for (opens_at, slot_minutes) in [("09:30", 45), ("10:00", 15), ("09:15", 60), ("09:00", 30)].repeat(5) {
            recut(&pool, opens_at, slot_minutes).await;
        }
    };
    let (answers, ()) = futures::join!(join_all(requests), changes);
    let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(with(201) + with(400) + with(409), answers.len());
    assert!(with(201) > 0 && with(409) > 0, "{} booked, {} refused", with(201), with(409));
    assert!(held(&pool).await.into_iter().all(|held| held <= 2), "two crews");
}

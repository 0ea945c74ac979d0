//! Reminders: once before each visit, and not of one that was moved or cancelled.

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::{
    bookings::{Actor, status::BookingStatus},
    database::{Database, MIGRATOR},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{ALL, Shop, ist, noon};

impl Shop {
    /// A confirmed booking, of which its customer has heard.
    async fn confirmed(pool: PgPool) -> Self {
        let shop = Self::new(pool, &ALL).await;
        shop.set_status(BookingStatus::Confirmed, Actor::Staff("desk".to_owned())).await;
        shop.write().await;
        shop.send().await;
        shop.stand_in.forget();
        shop.sql("delete from messages").await;
        shop
    }

    /// Writes the reminders that are due at a moment; how many.
    async fn remind(&self, now: DateTime<Utc>) -> u64 {
        self.set(now);
        self.app.remind(now, Instant::now() + Duration::from_mins(1)).await.unwrap().written
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_visit_is_reminded_of_a_day_and_two_hours_before(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    let start = shop.start().await;
    let mut written = Vec::new();
    for before in [24 * 3600 + 1, 24 * 3600, 24 * 3600 - 60, 7201, 7200, 7100, 60, 0, -60] {
        let count = shop.remind(start - TimeDelta::seconds(before)).await;
        shop.send().await;
        if count > 0 {
            written.push((before, count));
        }
        if before == 7100 {
            assert_eq!(shop.stand_in.taken().len(), 1, "the one of 8:00 waits for 9:00");
        }
    }
    assert_eq!(written, [(24 * 3600, 1), (7200, 1)]);
    let names: Vec<Value> =
        shop.stand_in.taken().into_iter().map(|message| message.request["template"]["name"].clone()).collect();
    assert_eq!(names, ["booking_reminder", "booking_reminder"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_cancelled_one_second_before_its_reminder_gets_none(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    let due = shop.start().await - TimeDelta::hours(24);
    assert_eq!(shop.remind(due).await, 1);
    shop.set_status(BookingStatus::Cancelled, Actor::Customer).await;
    shop.send().await;
    assert_eq!(
        shop.rows().await,
        json!([["booking_reminder", "whatsapp", "dropped", "the booking has another status"]])
    );
    assert!(shop.stand_in.taken().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_moved_visit_is_reminded_of_at_its_new_time_alone(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    let old = shop.start().await;
    assert_eq!(shop.remind(old - TimeDelta::hours(24)).await, 1);
    shop.move_to(18).await;
    shop.send().await;
    let new = shop.start().await;
    assert_eq!(shop.remind(new - TimeDelta::hours(24)).await, 1);
    shop.send().await;
    assert_eq!(shop.remind(old - TimeDelta::hours(2)).await, 0);
    assert_eq!(
        shop.rows().await,
        json!([
            ["booking_reminder", "whatsapp", "dropped", "the visit has another time"],
            ["booking_reminder", "whatsapp", "sent", ""],
        ])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_booking_made_or_moved_inside_the_offset_gets_no_reminder(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    let start = shop.start().await;
    let set = async |sql: &str, at: DateTime<Utc>| {
        sqlx::query(sql).bind(at).execute(&shop.pool).await.unwrap();
    };
    set("update bookings set created_at = $1", start - TimeDelta::hours(24)).await;
    assert_eq!(shop.remind(start - TimeDelta::hours(23)).await, 0);
    set("update bookings set created_at = $1", start - TimeDelta::hours(25)).await;
    set(
        "insert into booking_events (booking_id, event, to_status, actor, created_at)
        values (1, 'rescheduled', 'confirmed', 'customer', $1)",
        start - TimeDelta::hours(20),
    )
    .await;
    assert_eq!(shop.remind(start - TimeDelta::hours(19)).await, 0);
    assert_eq!(shop.remind(start - TimeDelta::hours(2)).await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_job_that_is_late_reminds_once(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    let start = shop.start().await;
    assert_eq!(shop.remind(start - TimeDelta::minutes(90)).await, 1);
    assert_eq!(shop.remind(start - TimeDelta::minutes(80)).await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_block_between_two_runs_makes_no_second_reminder_on_another_channel(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    let due = shop.start().await - TimeDelta::hours(24);
    assert_eq!(shop.remind(due).await, 1);
    shop.send().await;
    shop.sql(
        "insert into blocked_recipients (channel, recipient, reason) select 'whatsapp', phone, 'stop' from customers",
    )
    .await;
    assert_eq!(shop.remind(due + TimeDelta::minutes(5)).await, 0);
    assert_eq!(shop.stand_in.taken().len(), 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn reminders_are_due_on_the_shops_clock_also_over_midnight_and_the_end_of_a_month(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    for (date, time, hours) in [
        ((2028, 3, 1), (0, 30), 2),
        ((2028, 3, 1), (0, 30), 24),
        ((2028, 1, 1), (1, 0), 2),
        ((2028, 5, 31), (23, 45), 24),
    ] {
        let day = NaiveDate::from_ymd_opt(date.0, date.1, date.2).unwrap();
        let start = day.and_hms_opt(time.0, time.1, 0).unwrap();
        sqlx::query("update bookings set appointment_date = $1, appointment_time = $2")
            .bind(day)
            .bind(start.time())
            .execute(&shop.pool)
            .await
            .unwrap();
        shop.sql("delete from messages").await;
        let due = ist(start) - TimeDelta::hours(hours);
        let reminded = async |at| {
            let count = shop.remind(at).await;
            shop.sql("delete from messages").await;
            count
        };
        if hours == 24 {
            assert_eq!(reminded(due - TimeDelta::seconds(1)).await, 0, "{start}");
        }
        assert_eq!(reminded(due).await, 1, "{start}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn two_jobs_at_once_send_ten_thousand_reminders_once_each(pool: PgPoolOptions, options: PgConnectOptions) {
    let shop = Shop::confirmed(pool.connect_with(options.clone()).await.unwrap()).await;
    shop.sql(
        "begin;
        insert into customers (phone) select '+9170' || lpad(n::text, 8, '0') from generate_series(1, 9999) as n;
        insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
            payment_method, access_token_sha256, access_token_expires_at, booking_status)
        select 'RMB-' || id, id, 'Jane Doe', 7, 'shop', current_date + 7, '10:00', 60, quarters('10:00', 60), 30, 75010,
            'cash', sha256('token'), now() + interval '30 days', 'confirmed'
        from customers where id > 1;
        insert into booking_services (booking_id, service_id, price_paise) select id, 4, 75010 from bookings where id > 1;
        commit;
        analyze",
    )
    .await;
    let now = shop.start().await - TimeDelta::hours(24);
    shop.set(now);
    let apps: Vec<jobs::App> =
        (0..2).map(|_| jobs::App { database: Database::new(options.clone()), ..shop.app.clone() }).collect();
    let begun = Instant::now();
    let end = begun + Duration::from_mins(5);
    let written: Vec<u64> =
        join_all(apps.iter().map(|app| async { app.remind(now, end).await.unwrap().written })).await;
    let wrote = begun.elapsed();
    // As autovacuum does within a minute.
    shop.sql("analyze messages").await;
    assert_eq!(written.iter().sum::<u64>(), 10_000, "{written:?}");
    let sending = Instant::now();
    let sent: Vec<u64> =
        join_all(apps.iter().map(|app| async { app.send_messages(&|| shop.time(), end).await.unwrap().sent })).await;
    println!("10,000 reminders: written in {wrote:?}, sent in {:?} by two jobs: {sent:?}", sending.elapsed());
    let taken = shop.stand_in.taken();
    let mut recipients: Vec<&str> = taken.iter().map(|message| message.to.as_str()).collect();
    recipients.sort_unstable();
    recipients.dedup();
    assert_eq!((taken.len(), recipients.len()), (10_000, 10_000));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_customer_who_wants_no_reminders_gets_none_and_hears_of_all_else(pool: PgPool) {
    let shop = Shop::confirmed(pool).await;
    shop.remind(shop.start().await - TimeDelta::hours(24)).await;
    // After the reminder was written, on the page of the link.
    shop.sql("insert into reminder_opt_outs (customer_id) select id from customers").await;
    shop.send().await;
    shop.set(noon());
    shop.set_status(BookingStatus::Cancelled, Actor::Staff("desk".to_owned())).await;
    shop.write().await;
    shop.send().await;
    assert_eq!(
        shop.rows().await,
        json!([
            ["booking_reminder", "whatsapp", "dropped", "the customer wants no reminders"],
            ["booking_cancelled", "whatsapp", "sent", ""],
        ])
    );
}

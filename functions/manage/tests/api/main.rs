//! The pages of a booking's link as browsers, mail scanners and strangers use them, with real Postgres, Redis and the stand-ins of
//! Descope and Razorpay.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod calendar;
mod cancelling;
mod links;
mod looking;
mod moving;
mod paying;
mod proving;

use chrono::{NaiveDate, TimeDelta, Weekday};
use manage::{App, Limits, Payments};
use serde_json::Value;
use shared::{
    bookings::{
        Actor, booking,
        links::{Scope, Which, make, revoke},
        own::Cutoff,
        unproved,
    },
    config::Settings,
    database::Database,
    ids::BookingId,
    razorpay::Razorpay,
    redis::Redis,
    throttle::Throttle,
};
use sqlx::{PgConnection, PgPool};
use testing::Client;

const PHONE: &str = "+919876543210";

/// The shop of `local/catalogue/` with one booking, number 1: an hour of a bay, on a Monday at ten.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) descope: descope_stand_in::StandIn,
    pub(crate) razorpay: razorpay_stand_in::StandIn,
    pub(crate) pool: PgPool,
    pub(crate) redis: Redis,
}

impl World {
    pub(crate) async fn new(pool: PgPool) -> Self {
        let (descope, razorpay) = (descope_stand_in::StandIn::start().await, razorpay_stand_in::StandIn::start().await);
        let redis = testing::redis();
        testing::import_catalogue(&pool, &redis).await;
        let app = app(&pool, &descope, &razorpay, &redis);
        let world = Self { client: client(app, &pool), descope, razorpay, pool, redis };
        world.book("10:00", false).await;
        world
    }

    /// The same function with other settings.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut App)) -> Client {
        let mut app = app(&self.pool, &self.descope, &self.razorpay, &self.redis);
        change(&mut app);
        client(app, &self.pool)
    }

    pub(crate) fn database(&self) -> Database {
        Database::from(self.pool.clone())
    }

    /// Books an hour of a bay on Monday.
    pub(crate) async fn book(&self, time: &str, is_unproved: bool) -> i64 {
        let id: i64 = sqlx::query_scalar(
            "
            with customer as (
                insert into customers (phone) values ($4)
                on conflict (phone) do update set phone = excluded.phone returning id
            ), booking as (
                insert into bookings (
                    reference, customer_id, customer_name, vehicle_model_id, service_location, appointment_date,
                    appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise, payment_method,
                    access_token_sha256, access_token_expires_at, is_unproved
                )
                select 'RMB-' || upper(left(md5(random()::text), 5)) || '-00000', id, 'John <script>', 7, 'shop', $1,
                    $2::time, 60, quarters($2::time, 60), 60, 39000, 'cash', sha256('x'),
                    access_token_expiry($1, $2::time), $3
                from customer returning id, slot_times
            ), line as (
                insert into booking_services (booking_id, service_id, price_paise) select id, 4, 39000 from booking
            ), slots as (
                insert into slot_usage (pool, date, time, used, capacity, unproved, unproved_capacity)
                select 'shop', $1, unnest(slot_times), 1, 3, $3::int, 3 from booking
                on conflict (pool, date, time) do update
                set used = slot_usage.used + 1, unproved = slot_usage.unproved + excluded.unproved, unproved_capacity = 3
            )
            select id from booking
            ",
        )
        .bind(monday())
        .bind(time)
        .bind(is_unproved)
        .bind(PHONE)
        .fetch_one(&self.pool)
        .await
        .unwrap();
        self.run(&format!("select write_event({id}, 'created', null, 'pending', 'customer')")).await;
        id
    }

    /// Makes a link to a booking; returns the path of its first page.
    pub(crate) async fn link(&self, booking: i64, scope: Scope) -> String {
        let make = async |connection: &mut PgConnection| make(connection, BookingId(booking), scope, "staff").await;
        format!("/b/{}/", self.database().transaction(make).await.unwrap().reveal())
    }

    pub(crate) async fn revoke_all(&self, booking: i64) -> u64 {
        let revoke = async |connection: &mut PgConnection| {
            let booking = booking::lock(connection, BookingId(booking)).await?;
            revoke(connection, &booking, Which::All, &Actor::Staff("desk".to_owned())).await
        };
        self.database().transaction(revoke).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Date, time, status, version and payment of the first booking.
    pub(crate) async fn state(&self) -> Value {
        self.value(
            "select json_build_array(appointment_date, to_char(appointment_time, 'HH24:MI'), booking_status, version,
                payment_status) from bookings where id = 1",
        )
        .await
    }

    /// The events of the first booking.
    pub(crate) async fn events(&self) -> Value {
        self.value("select json_agg(event order by id) from booking_events where booking_id = 1").await
    }

    /// The jobs in the quarter of an hour of Monday that begins now.
    pub(crate) async fn used(&self, time: &str) -> i64 {
        let used =
            "select coalesce(sum(used), 0) from slot_usage where pool = 'shop' and date = $1 and time = $2::time";
        sqlx::query_scalar(used).bind(monday()).bind(time).fetch_one(&self.pool).await.unwrap()
    }

    /// Every row of every table, as text.
    pub(crate) async fn everything(&self) -> String {
        let tables: Vec<String> = sqlx::query_scalar("select relname::text from pg_stat_user_tables order by 1")
            .fetch_all(&self.pool)
            .await
            .unwrap();
        let mut text = String::new();
        for table in tables {
            let rows =
                format!("select coalesce(string_agg(row::text, e'\\n' order by row::text), '') from {table} as row");
            let rows: String = self.value(&rows).await;
            text.extend([table.as_str(), "\n", rows.as_str(), "\n"]);
        }
        text
    }
}

fn app(
    pool: &PgPool,
    descope: &descope_stand_in::StandIn,
    razorpay: &razorpay_stand_in::StandIn,
    redis: &Redis,
) -> App {
    let database = Database::from(pool.clone());
    App {
        sign_in: testing::sign_in(testing::sessions(&database, descope, redis), redis),
        payments: Payments {
            are_enabled: true,
            razorpay: Razorpay::new(&razorpay.url(), razorpay.key_id(), razorpay.key_secret()).unwrap(),
        },
        cutoff: Cutoff(TimeDelta::zero()),
        unproved: unproved::Limits::OFF,
        limits: Limits::from_env().unwrap(),
    }
}

fn client(app: App, pool: &PgPool) -> Client {
    let database = Database::from(pool.clone());
    let client = Client::behind(manage::router(app), manage::edge(Settings::default(), database));
    client.with("Host", "api.example").with("Sec-Fetch-Site", "same-origin").with("Accept-Language", "en-IN,en;q=0.9")
}

/// A throttle that counts, in a Redis of its own.
pub(crate) fn throttle() -> Throttle {
    Throttle::new(testing::redis(), true)
}

/// A Monday within the horizon; the shop has three bays, and slots of an hour from nine to seven.
pub(crate) fn monday() -> NaiveDate {
    testing::next(Weekday::Mon)
}

/// The value of an input in a page.
pub(crate) fn input(page: &testing::Answer, name: &str) -> String {
    let from = page.text.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("{name}: {}", page.text));
    let tag = from.split('>').next().unwrap();
    tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

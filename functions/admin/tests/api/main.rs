//! The panel as a browser uses it, with real Postgres, Redis and the stand-in of Descope.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, clippy::panic, reason = "test code")]

mod access;
mod bookings;
mod bookings_list;
mod browser;
mod cash;
mod catalogue;
mod customers;
mod entering;
mod erasure;
mod exports;
mod hostile;
mod links;
mod lists;
mod message_texts;
mod messages;
mod mismatches;
mod origins;
mod paging;
mod payments;
mod percent;
mod price_clashes;
mod price_file;
mod prices;
mod reports;
mod search;
mod sessions;
mod shop;
mod staff_keys;
mod statements;
mod system;
mod today;
mod users;
mod visits;
mod walk_ins;

use admin::App;
use chrono::NaiveDate;
use descope_stand_in::StandIn;
use shared::{
    accounts::{ADMIN_ROLE, STAFF_ROLE},
    bookings::{Actor, booking, manage_page::ManagePage},
    config::Settings,
    database::Database,
    history::{Author, Source},
    payments::cash as counter,
    redis::Redis,
    sign_in::{Admits, SignIn, personnel::Personnel},
};
use sqlx::{PgConnection, PgPool};
use testing::Client;

pub(crate) use browser::Browser;

const OWNER: &str = "owner@example.com";
const MECHANIC: &str = "mechanic@example.com";
const PASSWORD: &str = "correct horse battery";
const PAGE: &str = "https://api.example/admin/password/";

/// The shop of `local/catalogue/`, its panel, and the Descope stand-in where its people sign in.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) descope: StandIn,
    pub(crate) pool: PgPool,
    pub(crate) redis: Redis,
}

impl World {
    pub(crate) async fn new(pool: PgPool) -> Self {
        let world = Self::empty(pool).await;
        testing::import_catalogue(&world.pool, &world.redis).await;
        world
    }

    /// A deployment without a catalogue.
    pub(crate) async fn empty(pool: PgPool) -> Self {
        let (descope, redis) = (StandIn::start().await, testing::redis());
        let client = panel(&pool, &descope.url(), &redis, &redis);
        Self { client, descope, pool, redis }
    }

    pub(crate) fn database(&self) -> Database {
        Database::from(self.pool.clone())
    }

    /// A browser in which an administrator has signed in.
    pub(crate) async fn owner(&self) -> Browser {
        self.person(OWNER, ADMIN_ROLE).await
    }

    /// A browser in which a mechanic has signed in.
    pub(crate) async fn mechanic(&self) -> Browser {
        self.person(MECHANIC, STAFF_ROLE).await
    }

    /// Appoints a person, sets the password by the mailed link, and signs in.
    pub(crate) async fn person(&self, email: &str, role: &str) -> Browser {
        self.appoint(email, role).await;
        let browser = Browser::new(&self.client);
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    pub(crate) fn personnel(&self) -> Personnel {
        let descope = testing::sessions(&self.database(), &self.descope, &self.redis).descope;
        Personnel { descope, password_reset_url: None }
    }

    /// The roles that Descope has for a person.
    pub(crate) async fn roles_at_descope(&self, email: &str) -> Vec<String> {
        let descope = testing::sessions(&self.database(), &self.descope, &self.redis).descope;
        let mut roles = descope.user_with_login_id(email).await.unwrap().unwrap().role_names;
        roles.sort();
        roles
    }

    /// Books an hour at the shop, as a customer; returns the reference.
    pub(crate) async fn book(&self, date: NaiveDate, time: &str) -> String {
        sqlx::query_scalar(
            "
            with customer as (
                insert into customers (phone) values ('+919876543210')
                on conflict (phone) do update set phone = excluded.phone
                returning id
            ), booking as (
                insert into bookings (
                    reference, customer_id, customer_name, vehicle_model_id, service_location, appointment_date,
                    appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise, payment_method,
                    access_token_sha256, access_token_expires_at
                )
                select 'RMB-' || regexp_replace(upper(left(md5(random()::text), 10)), '(.{5})', '\\1-'), id, 'John <script>', 7, 'shop', $1, $2::time, 60,
                    quarters($2::time, 60), 60, 39000, 'cash', sha256('x'), now()
                from customer
                returning id, reference, appointment_date, slot_times
            ), line as (
                insert into booking_services (booking_id, service_id, price_paise) select id, 4, 39000 from booking
            ), slots as (
                insert into slot_usage (pool, date, time, used, capacity)
                select 'shop', appointment_date, unnest(slot_times), 1, 3 from booking
                on conflict (pool, date, time) do update set used = slot_usage.used + 1
            )
            select reference from booking
            ",
        )
        .bind(date)
        .bind(time)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    /// A booking with the number 7 that was paid in cash, by the payment with the number 7.
    pub(crate) async fn seven(&self) {
        for table in ["bookings", "payments", "customers"] {
            let start = "select setval(pg_get_serial_sequence($1, 'id'), 6)";
            sqlx::query(start).bind(table).execute(&self.pool).await.unwrap();
        }
        self.book(testing::next(chrono::Weekday::Mon), "10:00").await;
        self.pay_cash(7).await;
    }

    /// Records cash for a booking, as staff with the key `desk`.
    pub(crate) async fn pay_cash(&self, booking: i64) {
        let pay = async |connection: &mut PgConnection| {
            let mut booking = booking::lock(connection, booking.into()).await?;
            let amount = booking.total_amount;
            counter::record(connection, &mut booking, amount, &Actor::Staff("desk".to_owned())).await
        };
        self.database().transaction(pay).await.unwrap();
    }

    /// Books an hour at the shop and returns the number of the booking.
    pub(crate) async fn booked(&self, time: &str) -> i64 {
        let reference = self.book(testing::next(chrono::Weekday::Mon), time).await;
        let id = "select id from bookings where reference = $1";
        sqlx::query_scalar(id).bind(reference).fetch_one(&self.pool).await.unwrap()
    }

    /// Appoints a person as the event of `migrate` does, and sets the password on the panel's own page.
    pub(crate) async fn appoint(&self, email: &str, role: &str) {
        self.personnel().appoint(&self.database(), email, role, Some(PAGE), &deployer()).await.unwrap();
        let token = self.descope.inbox(email)[0].token.clone().expect("a mail with a link");
        let browser = Browser::new(&self.client);
        let answer = browser.submit("/admin/password/", &[("token", &token), ("new_password", PASSWORD)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// The author of an event of `migrate`.
pub(crate) fn deployer() -> Author {
    Author::system(Source::Migrate)
}

/// A panel with Descope and Redis at these places.
pub(crate) fn panel(pool: &PgPool, descope_url: &str, redis: &Redis, catalogue_redis: &Redis) -> Client {
    panel_on(&Database::from(pool.clone()), descope_url, redis, catalogue_redis)
}

/// The same, with a database that is reached in another way.
pub(crate) fn panel_on(database: &Database, descope_url: &str, redis: &Redis, catalogue_redis: &Redis) -> Client {
    let sessions = testing::sessions_at(descope_url, database, redis);
    let sign_in = SignIn { admits: Admits::Personnel, ..testing::sign_in(sessions, redis) };
    let app = App { sign_in, redis: catalogue_redis.clone(), manage_page: ManagePage::default() };
    let router = admin::router(app);
    Client::behind(router, admin::edge(Settings::default(), database.clone()))
}

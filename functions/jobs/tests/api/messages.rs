//! Messages to people: each once or not at all, and only what is still true.

mod by_hand;
mod channels;
mod interrupted;
mod moto;
mod reminders;
mod truth;

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use jobs::{App, Event};
use messages_stand_in::{AUTH_KEY, Channel, PHONE_NUMBER_ID, StandIn, TOKEN};
use serde_json::{Value, json};
use shared::{
    bookings::{
        Actor,
        appointment::Rules,
        booking, reschedule,
        status::{BookingStatus, ServiceLocation},
        transition,
        unproved::Limits,
    },
    carriers::{Carriers, Msg91, Ses, WhatsApp},
    config::Aws,
    database::Database,
    ids::BookingId,
    messages::Plan,
};
use sqlx::PgPool;

const WHATSAPP: &str = "/v26.0/100000000000001/messages";
const SMS: &str = "/api/v5/flow";
const MAIL: &str = "/v2/email/outbound-emails";
const PHONE: &str = "+919876543210";

/// A shop whose messages go to the stand-in.
struct Shop {
    app: App,
    stand_in: StandIn,
    pool: PgPool,
    /// Seconds since 1970, for jobs.
    now: AtomicI64,
}

fn carriers(stand_in: &StandIn, channels: &[Channel]) -> Carriers {
    let url = &stand_in.url();
    let templates = ["created", "confirmed", "rescheduled", "reminder", "completed", "cancelled", "paid", "refunded"];
    let templates = templates.map(|kind| format!("booking_{kind}.en:{kind}-en")).join(",");
    let has = |channel| channels.contains(&channel);
    Carriers {
        whatsapp: WhatsApp::new(url, has(Channel::WhatsApp).then_some((PHONE_NUMBER_ID, TOKEN))).unwrap(),
        sms: Msg91::new(url, has(Channel::Sms).then_some((AUTH_KEY, &templates))).unwrap(),
        email: Ses::new(Aws::local(url), has(Channel::Email).then_some("Shop <shop@example.com>")),
    }
}

const ALL: [Channel; 3] = [Channel::WhatsApp, Channel::Sms, Channel::Email];

impl Shop {
    /// Open every day, with a booking of a week ahead at ten, as just made by a customer with an address, at noon on the shop's clock.
    async fn new(pool: PgPool, channels: &[Channel]) -> Self {
        testing::import_catalogue(&pool, &testing::redis()).await;
        let stand_in = StandIn::start().await;
        let plan = Plan { booking_is_opt_in: true, ..Plan::default() };
        let app = App {
            database: Database::from(pool.clone()),
            razorpay: None,
            people: None,
            carriers: Some(carriers(&stand_in, channels)),
            plan,
        };
        let shop = Self { app, stand_in, pool, now: AtomicI64::new(0) };
        shop.set(noon());
        shop.sql(
            "begin;
            insert into opening_hours (shop_id, weekday, opens_at, closes_at)
            select shop_id(), weekday, '09:00', '20:00' from generate_series(1, 7) as weekday
            on conflict (shop_id, weekday) do update set opens_at = excluded.opens_at, closes_at = excluded.closes_at;
            insert into customers (phone) values ('+919876543210');
            insert into bookings (reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location,
                appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                payment_method, access_token_sha256, access_token_expires_at)
            select 'RMB-1', id, 'Jane Doe', 'Jane@Example.com', 7, 'shop', current_date + 7, '10:00', 60,
                quarters('10:00', 60), 30, 75010, 'cash', sha256('token'), now() + interval '30 days' from customers;
            insert into booking_services (booking_id, service_id, price_paise) values (1, 4, 75010);
            insert into slot_usage (pool, date, time, used, capacity)
            select 'shop', current_date + 7, unnest(quarters('10:00', 60)), 1, 3;
            select write_event(1, 'created', null, 'pending', 'customer'),
                write_message('booking_created', '{\"booking_id\": 1}');
            commit",
        )
        .await;
        shop
    }

    async fn sql(&self, sql: &str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    fn time(&self) -> DateTime<Utc> {
        Utc.timestamp_opt(self.now.load(Ordering::SeqCst), 0).unwrap()
    }

    fn set(&self, now: DateTime<Utc>) {
        self.now.store(now.timestamp(), Ordering::SeqCst);
    }

    fn advance(&self, by: TimeDelta) {
        self.now.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }

    /// Makes messages of what is in the outbox.
    async fn write(&self) {
        self.app.handle(Event::DeliverOutbox).await.unwrap();
    }

    /// Sends what is due at the shop's time.
    async fn send(&self) -> Value {
        let end = Instant::now() + Duration::from_mins(3);
        json!(self.app.send_messages(&|| self.time(), end).await.unwrap())
    }

    /// What became of all messages: kind, channel, state, reason.
    async fn rows(&self) -> Value {
        sqlx::query_scalar(
            "select coalesce(json_agg(json_build_array(kind, channel, state, reason) order by id), '[]') from messages",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    /// Channel and recipient of what the carriers took.
    fn taken(&self) -> Vec<(Channel, String)> {
        self.stand_in.taken().into_iter().map(|message| (message.channel, message.to)).collect()
    }

    async fn set_status(&self, to: BookingStatus, actor: Actor) {
        let mut transaction = self.app.database.begin().await.unwrap();
        let booking = booking::lock(&mut transaction, BookingId(1)).await.unwrap();
        transition::set_status(&mut transaction, booking, to, &actor, "").await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Moves the booking by the customer, on its day.
    async fn move_to(&self, hour: u32) {
        let mut transaction = self.app.database.begin().await.unwrap();
        let booking = booking::lock(&mut transaction, BookingId(1)).await.unwrap();
        let wanted = reschedule::Appointment {
            date: booking.appointment_date,
            time: chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap(),
            location: ServiceLocation::Shop,
            address: String::new(),
        };
        reschedule::move_to(&mut transaction, booking, wanted, &Actor::Customer, Rules::Overbook, Limits::OFF)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    /// The start of the visit.
    async fn start(&self) -> DateTime<Utc> {
        let (date, time): (NaiveDate, chrono::NaiveTime) =
            sqlx::query_as("select appointment_date, appointment_time from bookings where id = 1")
                .fetch_one(&self.pool)
                .await
                .unwrap();
        ist(date.and_time(time))
    }
}

/// A moment of India's clock.
fn ist(at: chrono::NaiveDateTime) -> DateTime<Utc> {
    (at - TimeDelta::minutes(330)).and_utc()
}

/// The next noon in India: no quiet hour, and not far.
fn noon() -> DateTime<Utc> {
    let now = Utc::now();
    let noon = ist(now.date_naive().and_hms_opt(12, 0, 0).unwrap());
    if noon > now { noon } else { noon + TimeDelta::days(1) }
}

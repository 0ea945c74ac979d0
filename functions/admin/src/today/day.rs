//! What the board shows of a day: its jobs, its hours, how full the days around are, and what needs attention.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;
use shared::{
    Result,
    bookings::{
        occupied::Occupied,
        status::{BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
    },
    database::Database,
    day_minute::DayMinute,
    ids::BookingId,
};
use sqlx::types::Json;

/// A job of the day.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: BookingId,
    pub(super) version: i32,
    pub(super) customer: String,
    pub(super) model: String,
    pub(super) services: String,
    pub(super) location: ServiceLocation,
    pub(super) address: String,
    pub(super) time: NaiveTime,
    pub(super) occupied_minutes: i32,
    pub(super) total: i64,
    pub(super) payment_status: PaymentStatus,
    pub(super) payment_method: PaymentMethod,
    pub(super) status: BookingStatus,
    pub(super) is_no_show: bool,
    /// Its work should have begun, or have been done.
    pub(super) is_late: bool,
}

impl Job {
    pub(super) fn occupied(&self) -> Occupied {
        Occupied::stored(self.time, self.occupied_minutes)
    }

    pub(super) fn until(&self) -> DayMinute {
        self.occupied().until()
    }
}

/// A day of the week around.
#[derive(Debug, Deserialize)]
pub(super) struct WeekDay {
    pub(super) date: NaiveDate,
    pub(super) is_open: bool,
    pub(super) jobs: i64,
    /// Quarters of an hour that are taken, of those of both pools.
    pub(super) percent: i64,
}

/// A day as the shop has it.
#[derive(Debug)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    /// On the shop's clock.
    pub(super) now: NaiveDateTime,
    /// `None` on a closed day.
    pub(super) hours: Option<(DayMinute, DayMinute)>,
    pub(super) holiday: Option<String>,
    pub(super) has_hours: bool,
    pub(super) slot_minutes: i32,
    pub(super) shop_capacity: i32,
    pub(super) home_capacity: i32,
    pub(super) week: Vec<WeekDay>,
    pub(super) to_confirm: i64,
    pub(super) late: i64,
    pub(super) unpaid: i64,
    pub(super) failed_refunds: i64,
    pub(super) mismatches: i64,
    pub(super) undelivered: i64,
}

/// Loads a day, today's without one. Without a shop it is an empty day of UTC.
pub(super) async fn load(database: &Database, day: Option<NaiveDate>) -> Result<Day> {
    let found = sqlx::query!(
        r#"
        with clock as (
            select shop_clock(now()) as now, coalesce($1, shop_clock(now())::date) as date
        ), pools as (
            select coalesce(sum(shop_capacity + home_capacity), 0)::bigint as places from shops where id = shop_id()
        ), week as (
            select day::date as date, hours.weekday is not null and holiday.date is null as is_open,
                (
                    select count(*) from bookings
                    where appointment_date = day::date and booking_status <> 'cancelled'
                ) as jobs,
                coalesce(
                    (
                        -- All pools by name, because the index begins with the pool.
                        select sum(used) from slot_usage
                        where pool = any (enum_range(null::service_location)) and date = day::date
                    ) * 100 / nullif(places * (extract(epoch from hours.closes_at - hours.opens_at) / 900)::bigint, 0), 0
                )::bigint as percent
            from clock
            cross join pools
            cross join generate_series(
                date_trunc('week', clock.date), date_trunc('week', clock.date) + interval '6 days', interval '1 day'
            ) as day
            left join opening_hours hours on hours.shop_id = shop_id() and hours.weekday = extract(isodow from day)
            left join holidays holiday on holiday.shop_id = shop_id() and holiday.date = day::date
        )
        select clock.now as "now!", clock.date as "date!",
            hours.opens_at as "opens_at?: DayMinute", hours.closes_at as "closes_at?: DayMinute",
            holiday.name as "holiday?",
            exists (select from opening_hours where shop_id = shop_id()) as "has_hours!",
            coalesce(shop.slot_minutes, 60) as "slot_minutes!", coalesce(shop.shop_capacity, 0) as "shop_capacity!",
            coalesce(shop.home_capacity, 0) as "home_capacity!",
            (
                select json_agg(json_build_object('date', date, 'is_open', is_open, 'jobs', jobs, 'percent', percent) order by date)
                from week
            ) as "week!: Json<Vec<WeekDay>>",
            (select count(*) from bookings where booking_status = 'pending') as "to_confirm!",
            (
                select count(*) from bookings booking
                where appointment_date <= clock.now::date and is_late(booking, clock.now)
            ) as "late!",
            (select count(*) from bookings booking where is_owed(booking)) as "unpaid!",
            (select count(*) from money_failed_refunds) as "failed_refunds!",
            (select count(*) from money_paid_without_capture)
                + (select count(distinct booking_id) from money_captured_without_payment)
                + (select count(*) from money_not_given_back) + (select count(*) from money_misfits)
                + (select count(*) from money_disputes) + (select count(*) from money_unmatched) as "mismatches!",
            (select count(*) from undelivered_messages) as "undelivered!"
        from clock
        left join shops shop on shop.id = shop_id()
        left join opening_hours hours on hours.shop_id = shop.id and hours.weekday = extract(isodow from clock.date)
        left join holidays holiday on holiday.shop_id = shop.id and holiday.date = clock.date
        "#,
        day
    )
    .fetch_one(&database.pool())
    .await?;
    Ok(Day {
        date: found.date,
        now: found.now,
        hours: found.opens_at.zip(found.closes_at).filter(|_| found.holiday.is_none()),
        holiday: found.holiday,
        has_hours: found.has_hours,
        slot_minutes: found.slot_minutes,
        shop_capacity: found.shop_capacity,
        home_capacity: found.home_capacity,
        week: found.week.0,
        to_confirm: found.to_confirm,
        late: found.late,
        unpaid: found.unpaid,
        failed_refunds: found.failed_refunds,
        mismatches: found.mismatches,
        undelivered: found.undelivered,
    })
}

/// The jobs of a day by time, with those that were cancelled.
pub(super) async fn jobs(database: &Database, date: NaiveDate) -> Result<Vec<Job>> {
    Ok(sqlx::query_as!(
        Job,
        r#"
        select booking.id, booking.version, booking.customer_name as customer, brand.name || ' ' || model.name as "model!",
            line.services as "services!", booking.service_location as "location: ServiceLocation", booking.address,
            booking.appointment_time as time,
            coalesce(booking.occupied_minutes, booking.duration_minutes) as "occupied_minutes!",
            booking.total_paise as total, booking.payment_status as "payment_status: PaymentStatus",
            booking.payment_method as "payment_method: PaymentMethod", booking.booking_status as "status: BookingStatus",
            booking.is_no_show, is_late(booking, shop_clock(now())) as "is_late!"
        from bookings booking
        join vehicle_models model on model.id = booking.vehicle_model_id
        join vehicle_brands brand on brand.id = model.vehicle_brand_id
        cross join lateral (
            select coalesce(string_agg(service.name, ', ' order by line.id), '') as services
            from booking_services line join services service on service.id = line.service_id
            where line.booking_id = booking.id
        ) as line
        where booking.appointment_date = $1
        order by booking.appointment_time, booking.id
        "#,
        date
    )
    .fetch_all(&database.pool())
    .await?)
}

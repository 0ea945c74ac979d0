//! How much of the shop was used, what was in demand, and who came, in a period and in the one before.

use serde::Deserialize;
use shared::{Result, database::Database};
use sqlx::types::Json;

use super::period::Period;

/// Use of a pool in one hour of the day, in quarters of an hour.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Hour {
    pub(super) pool: Pool,
    pub(super) hour: i64,
    pub(super) booked: i64,
    pub(super) booked_before: i64,
    /// Open quarters times capacity.
    pub(super) room: i64,
    pub(super) room_before: i64,
}

/// As the database names them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pool {
    Shop,
    Home,
}

/// A service or model, by finished jobs.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Top {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) jobs: i64,
    pub(super) jobs_before: i64,
    pub(super) paise: i64,
}

pub(super) struct Work {
    pub(super) hours: Json<Vec<Hour>>,
    pub(super) services: Json<Vec<Top>>,
    pub(super) models: Json<Vec<Top>>,
    pub(super) new: i64,
    pub(super) new_before: i64,
    pub(super) returning: i64,
    pub(super) returning_before: i64,
}

/// Room is counted with the hours, holidays and capacity of today, because former ones are not kept.
pub(super) async fn load(database: &Database, period: &Period) -> Result<Work> {
    Ok(sqlx::query_as!(
        Work,
        r#"
        with shop as (
            select coalesce((select time_zone from shops where id = shop_id()), 'UTC') as time_zone
        ), open as (
            select quarter / 4 as hour, count(*) filter (where day >= $2) as quarters,
                count(*) filter (where day < $2) as quarters_before
            from (select $1::date + place as day from generate_series(0, $3::date - $1::date) as place) as days
            join opening_hours hours on hours.shop_id = shop_id() and hours.weekday = extract(isodow from day)
            cross join lateral generate_series(
                extract(epoch from opens_at)::integer / 900, extract(epoch from closes_at)::integer / 900 - 1
            ) as quarter
            where not exists (select from holidays where holidays.shop_id = shop_id() and holidays.date = day)
            group by 1
        ), pools as (
            select pool, capacity
            from shops cross join lateral (
                values ('shop'::service_location, shop_capacity), ('home', home_capacity)
            ) as pools (pool, capacity)
            where id = shop_id()
        ), booked as (
            select service_location as pool, extract(hour from quarter)::integer as hour,
                count(*) filter (where appointment_date >= $2) as quarters,
                count(*) filter (where appointment_date < $2) as quarters_before
            from bookings cross join lateral unnest(quarters(appointment_time, occupied_minutes)) as quarter
            where appointment_date between $1 and $3 and booking_status <> 'cancelled'
            group by 1, 2
        ), hours as (
            select pools.pool, hour, coalesce(booked.quarters, 0) as booked,
                coalesce(booked.quarters_before, 0) as booked_before, coalesce(open.quarters, 0) * capacity as room,
                coalesce(open.quarters_before, 0) * capacity as room_before
            from pools
            cross join (select hour from open union select hour from booked) as known
            left join open using (hour)
            left join booked using (pool, hour)
        ), done as (
            select id, vehicle_model_id, total_paise, appointment_date >= $2 as is_now from bookings
            where booking_status = 'completed' and appointment_date between $1 and $3
        ), services as (
            select service.id, service.name, count(*) filter (where is_now) as jobs,
                count(*) filter (where not is_now) as jobs_before,
                coalesce(sum(line.price_paise) filter (where is_now), 0) as paise
            from done
            join booking_services line on line.booking_id = done.id
            join services service on service.id = line.service_id
            group by service.id
            having bool_or(is_now)
            order by 3 desc, 5 desc, service.id
            limit 10
        ), models as (
            select model.id, brand.name || ' ' || model.name as name, count(*) filter (where is_now) as jobs,
                count(*) filter (where not is_now) as jobs_before,
                coalesce(sum(total_paise) filter (where is_now), 0) as paise
            from done
            join vehicle_models model on model.id = done.vehicle_model_id
            join vehicle_brands brand on brand.id = model.vehicle_brand_id
            group by model.id, brand.id
            having bool_or(is_now)
            order by 3 desc, 5 desc, model.id
            limit 10
        ), visitors as (
            select booking.customer_id, booking.appointment_date >= $2 as is_now,
                (customer.created_at at time zone shop.time_zone)::date
                    < case when booking.appointment_date >= $2 then $2 else $1 end as is_known
            from shop, bookings booking join customers customer on customer.id = booking.customer_id
            where booking.appointment_date between $1 and $3 and booking.booking_status <> 'cancelled'
        ), created as (
            select (created_at at time zone shop.time_zone)::date as day from shop, customers
            -- A day more at either end than any time zone needs.
            where created_at between $1::date - 1 and $3::date + 2
        )
        select
            (select coalesce(json_agg(hours order by pool desc, hour), '[]') from hours) as "hours!: Json<Vec<Hour>>",
            (
                select coalesce(json_agg(services order by jobs desc, paise desc, id), '[]') from services
            ) as "services!: Json<Vec<Top>>",
            (select coalesce(json_agg(models order by jobs desc, paise desc, id), '[]') from models) as "models!: Json<Vec<Top>>",
            (select count(*) from created where day between $2 and $3) as "new!",
            (select count(*) from created where day >= $1 and day < $2) as "new_before!",
            (select count(distinct customer_id) from visitors where is_now and is_known) as "returning!",
            (select count(distinct customer_id) from visitors where not is_now and is_known) as "returning_before!"
        "#,
        period.since,
        period.from,
        period.to
    )
    .fetch_one(&database.pool())
    .await?)
}

//! Bookings to come that the shop can no longer keep, after a change of its hours, its holidays or its capacity.

use chrono::{NaiveDate, NaiveTime};
use serde::Serialize;
use sqlx::PgConnection;

use super::status::ServiceLocation;
use crate::{day_minute::DayMinute, ids::BookingId};

/// A booking to come that the shop can no longer keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOutside {
    pub id: BookingId,
    pub reference: String,
    pub customer_name: String,
    pub customer_phone: String,
    pub date: NaiveDate,
    pub time: NaiveTime,
    /// When its work is done.
    pub end: DayMinute,
    pub location: ServiceLocation,
    pub reason: Outside,
}

/// Why a booking cannot be kept. If there are several reasons, the first of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Outside {
    /// The day is a holiday with this name.
    Holiday(String),
    /// The weekday is closed.
    Closed,
    /// The work begins before opening or ends after closing.
    Hours,
    /// More jobs are booked in a quarter of it than the pool takes.
    Capacity,
}

/// Lists the pending and confirmed bookings from today on that lie outside hours or capacity, as the connection's
/// transaction sees the tables. By date and time.
pub async fn left_outside(connection: &mut PgConnection) -> sqlx::Result<Vec<LeftOutside>> {
    let rows = sqlx::query!(
        r#"
        with held as (
            select booking.id, booking.reference, booking.customer_id, booking.customer_name, booking.booking_status,
                booking.service_location as pool, booking.appointment_date as date, booking.appointment_time as time,
                -- Work ends within the whole slots that it occupies.
                extract(epoch from booking.appointment_time)::integer / 60
                    + least(booking.duration_minutes, booking.occupied_minutes) as ends,
                quarters(booking.appointment_time, booking.occupied_minutes) as quarters,
                case booking.service_location when 'home' then shop.home_capacity else shop.shop_capacity end as capacity
            from shops shop
            join bookings booking on booking.appointment_date >= (now() at time zone shop.time_zone)::date
            where shop.id = shop_id() and booking.booking_status in ('pending', 'confirmed', 'in_progress')
        ), overfull as (
            select held.pool, held.date, quarter as time
            from held, unnest(held.quarters) as quarter
            group by held.pool, held.date, quarter, held.capacity
            having count(*) > held.capacity
        )
        select held.id, held.reference, held.customer_name, customer.phone as customer_phone, held.date, held.time,
            held.ends as "ends!", held.pool as "location: ServiceLocation", holiday.name as "holiday?",
            outside.reason as "reason!"
        from held
        join customers customer on customer.id = held.customer_id
        left join holidays holiday on holiday.shop_id = shop_id() and holiday.date = held.date
        left join opening_hours hours on hours.shop_id = shop_id() and hours.weekday = extract(isodow from held.date)
        cross join lateral (
            select case
                when holiday.date is not null then 'holiday'
                when hours.weekday is null then 'closed'
                when held.time < hours.opens_at or held.ends > extract(epoch from hours.closes_at) / 60 then 'hours'
                when exists (
                    select from overfull
                    where overfull.pool = held.pool and overfull.date = held.date
                        and overfull.time = any (held.quarters)
                ) then 'capacity'
            end as reason
        ) as outside
        where held.booking_status <> 'in_progress' and outside.reason is not null
        order by held.date, held.time, held.id
        "#
    )
    .fetch_all(connection)
    .await?;
    let left = rows.into_iter().map(|row| LeftOutside {
        id: row.id.into(),
        reference: row.reference,
        customer_name: row.customer_name,
        customer_phone: row.customer_phone,
        date: row.date,
        time: row.time,
        end: u32::try_from(row.ends).ok().and_then(DayMinute::at).unwrap_or(DayMinute::END),
        location: row.location,
        reason: match row.reason.as_str() {
            "holiday" => Outside::Holiday(row.holiday.unwrap_or_default()),
            "closed" => Outside::Closed,
            "hours" => Outside::Hours,
            _ => Outside::Capacity,
        },
    });
    Ok(left.collect())
}

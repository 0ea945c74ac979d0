//! Reminders of visits to come.

use crate::language::Language;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use super::{Kind, Plan};
use crate::ids::BookingId;

/// Bookings of one statement.
const BATCH: i64 = 2000;

/// Writes the reminders that are due, in batches, none of which begins after `end`. Returns how many. A reminder is of one
/// appointment: a visit that is moved gets another one. Who booked or moved it after the reminder was due gets none, and of
/// several reminders that are late at once only the last.
pub async fn remind(pool: &PgPool, plan: &Plan, now: DateTime<Utc>, end: Instant) -> sqlx::Result<u64> {
    let mut offsets = plan.reminders.0.clone();
    offsets.sort_unstable();
    offsets.dedup();
    let mut next = TimeDelta::zero();
    let mut written = 0;
    for offset in offsets {
        let mut after = Some(BookingId(0));
        while let Some(last) = after.filter(|_| Instant::now() < end) {
            let (count, reached) = remind_before(pool, plan, (offset, next), last, now).await?;
            written += count;
            after = reached;
        }
        next = offset;
    }
    Ok(written)
}

/// Writes a batch of the reminders of one offset; how many, and the booking that it reached, if there was one.
async fn remind_before(
    pool: &PgPool,
    plan: &Plan,
    (offset, next): (TimeDelta, TimeDelta),
    after: BookingId,
    now: DateTime<Utc>,
) -> sqlx::Result<(u64, Option<BookingId>)> {
    // A reminder that is written already is refused by its cause, also if another channel is the best one by now.
    let done = sqlx::query!(
        r#"
        with due as materialized (
            select booking.id, visit.start, moment.begins, customer.phone, customer.language, booking.customer_email
            from bookings booking
            join customers customer on customer.id = booking.customer_id
            join shops shop on shop.id = shop_id()
            cross join lateral (select booking.appointment_date + booking.appointment_time as start) as visit
            cross join lateral (select visit.start at time zone shop.time_zone as begins) as moment
            where booking.booking_status = 'confirmed' and customer.erased_at is null and booking.id > $8
                and booking.appointment_date between ($2 at time zone shop.time_zone)::date
                    and (($2 + interval '1 minute' * $5::int) at time zone shop.time_zone)::date
                and moment.begins > $2 + interval '1 minute' * $6::int
                and moment.begins <= $2 + interval '1 minute' * $5::int
                and booking.created_at < moment.begins - interval '1 minute' * $5::int
                and not exists (
                    select from booking_events event
                    where event.booking_id = booking.id and event.event in ('rescheduled', 'overbooked')
                        and event.created_at >= moment.begins - interval '1 minute' * $5::int
                )
            order by booking.id limit $7
        ), written as (
            insert into messages (
                cause, channel, recipient, kind, language, booking_id, details, due_at, worthless_at
            )
            select format('reminder:%s:%s:%s', $5::int, due.id, to_char(due.start, 'YYYYMMDDHH24MI')), way.channel,
                way.recipient, $3, coalesce(due.language, $4), due.id, jsonb_build_object('appointment', due.start),
                due.begins - interval '1 minute' * $5::int, due.begins
            from due
            cross join lateral (
                select * from message_ways($1, due.phone, due.customer_email) as ways order by ways.place limit 1
            ) as way
            on conflict do nothing
            returning id
        )
        select (select count(*) from written) as "count!", (select max(id) from due) as "reached: BookingId"
        "#,
        &plan.channel_names(),
        now,
        Kind::Reminder as Kind,
        plan.language as Language,
        i32::try_from(offset.num_minutes()).unwrap_or(i32::MAX),
        i32::try_from(next.num_minutes()).unwrap_or(i32::MAX),
        BATCH,
        after.0
    )
    .fetch_one(pool)
    .await?;
    Ok((u64::try_from(done.count).unwrap_or_default(), done.reached))
}

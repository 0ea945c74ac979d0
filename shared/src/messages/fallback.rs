//! The next channel for messages that failed on one.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::Plan;

/// Writes the messages that replace those that have failed, on the next channel of each recipient. Returns how many.
pub async fn fall_back(executor: impl PgExecutor<'_>, plan: &Plan, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let written = sqlx::query!(
        "
        with failed as (
            update messages set falls_back = false
            where id in (select id from messages where falls_back order by id limit 1000 for update skip locked)
            returning *
        )
        insert into messages (
            cause, channel, recipient, kind, language, booking_id, user_id, details, due_at, worthless_at, instead_of,
            is_fallback
        )
        select failed.cause, way.channel, way.recipient, failed.kind, failed.language, failed.booking_id, failed.user_id,
            failed.details, $2, failed.worthless_at, failed.id, true
        from failed
        left join bookings booking on booking.id = failed.booking_id
        left join customers customer on customer.id = booking.customer_id
        cross join lateral (
            select * from message_ways(
                $1, coalesce(customer.phone, case when failed.recipient like '+%' then failed.recipient end),
                booking.customer_email
            ) as way
            where way.place > coalesce(array_position($1, failed.channel), 0)
            order by way.place limit 1
        ) as way
        where failed.worthless_at > $2 and failed.kind not like 'staff%' and customer.erased_at is null
        on conflict do nothing
        ",
        &plan.channel_names(),
        now
    )
    .execute(executor)
    .await?;
    Ok(written.rows_affected())
}

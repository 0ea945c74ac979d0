//! The next channel for messages that failed on one, or wait on one that takes nothing.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Claimed, Plan};

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

/// Gives up what waits on a channel that takes no messages, and the message that its carrier has just refused, where the
/// recipient can be reached on another one. Messages without another way go on waiting. Returns whether the refused one
/// was given up, and how many.
pub async fn leave(
    executor: impl PgExecutor<'_>,
    plan: &Plan,
    (refused, reason): (&Claimed, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<(bool, usize)> {
    let left = sqlx::query_scalar!(
        "
        with stuck as (
            select message.id
            from messages message
            left join bookings booking on booking.id = message.booking_id
            left join customers customer on customer.id = booking.customer_id
            where message.channel = $2 and message.kind not like 'staff%' and customer.erased_at is null
                and message.worthless_at > $5
                and (
                    (message.id = $3 and message.state = 'sending' and message.attempts = $4)
                    or (message.state = 'pending' and message.due_at <= $5)
                )
                and exists (
                    select from message_ways(
                        $1, coalesce(customer.phone, case when message.recipient like '+%' then message.recipient end),
                        booking.customer_email
                    ) as way
                    where way.place > array_position($1, message.channel)
                )
            order by message.due_at, message.id limit 1000 for update of message skip locked
        )
        update messages set state = 'failed', leased_until = null, reason = $6, ended_at = $5, falls_back = true
        where id in (select id from stuck)
        returning id
        ",
        &plan.channel_names(),
        refused.channel.as_str(),
        refused.id.0,
        refused.attempts,
        now,
        reason
    )
    .fetch_all(executor)
    .await?;
    Ok((left.contains(&refused.id.0), left.len()))
}

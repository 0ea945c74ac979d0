//! The queue: which messages are due, and who sends them.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::Kind;
use crate::{
    carriers::Channel,
    ids::{BookingId, SendingId},
    language::Language,
};

/// How long a job may take from the claim to the carrier's answer. Longer than any call.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// A message that one job is to send, until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub id: SendingId,
    pub kind: Kind,
    pub channel: Channel,
    pub recipient: String,
    pub language: Language,
    pub booking_id: Option<BookingId>,
    /// Including this one.
    pub attempts: i32,
    /// Whether the recipient was blocked on this channel since the message was written.
    pub is_blocked: bool,
}

/// Claims the messages that have been due longest on these channels. Each goes to one job.
pub async fn claim(
    executor: impl PgExecutor<'_>,
    channels: &[Channel],
    count: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Claimed>> {
    let channels: Vec<String> = channels.iter().map(|channel| channel.as_str().to_owned()).collect();
    sqlx::query_as!(
        Claimed,
        r#"
        with due as (
            select id from messages where state = 'pending' and due_at <= $3 and channel = any ($1)
            order by due_at, id limit $2 for update skip locked
        )
        update messages message set state = 'sending', attempts = attempts + 1, leased_until = $4
        from due where message.id = due.id
        returning message.id, message.kind as "kind: Kind", message.channel as "channel: Channel", message.recipient,
            message.language as "language: Language", message.booking_id as "booking_id: BookingId", message.attempts,
            exists (
                select from blocked_recipients blocked
                where blocked.channel = message.channel and blocked.recipient = message.recipient
            ) as "is_blocked!"
        "#,
        &channels,
        count,
        now,
        now + LEASE
    )
    .fetch_all(executor)
    .await
}

/// Gives a claimed message back until a time on the shop's clock. Nothing was sent.
pub async fn postpone(executor: impl PgExecutor<'_>, message: &Claimed, until: NaiveDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update messages message set leased_until = null, attempts = attempts - 1, reason = 'quiet hours',
            state = case when is_told_by_another(message) then 'dropped' else 'pending' end,
            due_at = (select $3::timestamp at time zone time_zone from shops where id = shop_id())
        where id = $1 and state = 'sending' and attempts = $2
        ",
        message.id.0,
        message.attempts,
        until
    )
    .execute(executor)
    .await
    .map(drop)
}

/// Marks the messages whose lease has run out as unknown: a job was killed, before or after it called the carrier.
/// Returns how many.
pub async fn expire_leases(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let expired = sqlx::query!(
        "
        update messages set state = 'unknown', leased_until = null, reason = 'the job was cut short', ended_at = $1
        where state = 'sending' and leased_until <= $1
        ",
        now
    )
    .execute(executor)
    .await?;
    Ok(expired.rows_affected())
}

/// Ends the messages that come too late, on all channels. Those that a carrier did not take in time have failed, the others
/// are dropped. Returns how many.
pub async fn drop_worthless(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let dropped = sqlx::query!(
        "
        update messages set state = case when attempts > 0 then 'failed' else 'dropped' end, ended_at = $1,
            reason = case when reason = '' then 'too late' else 'too late: ' || reason end
        where id in (
            select id from messages where state = 'pending' and due_at <= $1 and worthless_at <= $1 for update skip locked
        )
        ",
        now
    )
    .execute(executor)
    .await?;
    Ok(dropped.rows_affected())
}

/// For how many seconds the oldest message that is due waits; 0 if there is none.
pub async fn oldest_due_seconds(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select coalesce(extract(epoch from $1 - min(greatest(created_at, due_at))), 0)::bigint as "seconds!"
        from messages where state = 'pending' and due_at <= $1
        "#,
        now
    )
    .fetch_one(executor)
    .await
}

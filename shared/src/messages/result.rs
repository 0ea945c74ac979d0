//! What became of a claimed message, written down. Each statement moves the message forward, also if a webhook has
//! told more meanwhile.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::{Claimed, State, feedback};
use crate::carriers::Refusal;

/// The longest pause between two attempts.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);
/// The first pause; it doubles with each attempt.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// The carrier has the message.
pub async fn accepted(
    executor: impl PgExecutor<'_>,
    message: &Claimed,
    provider_id: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update messages set provider_id = $2, sent_at = coalesce(sent_at, $3), leased_until = null,
            reason = case when state in ('sending', 'unknown') then '' else reason end,
            ended_at = case when state in ('sending', 'unknown') then null else ended_at end,
            state = case when state in ('sending', 'unknown') then 'sent' else state end
        where id = $1
        ",
        message.id.0,
        provider_id,
        now
    )
    .execute(executor)
    .await
    .map(drop)
}

/// The carrier has sent nothing and may be asked again, after a pause that grows.
pub async fn later(
    executor: impl PgExecutor<'_>,
    message: &Claimed,
    (after, reason): (Option<Duration>, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let exponent = u32::try_from(message.attempts.clamp(1, 8) - 1).unwrap_or_default();
    let pause = (PAUSE * 2_i32.pow(exponent)).min(LONGEST_PAUSE);
    let wanted = after.and_then(|after| TimeDelta::from_std(after).ok()).unwrap_or_default().min(LONGEST_PAUSE);
    sqlx::query!(
        "
        update messages message set leased_until = null, due_at = $3, reason = $4,
            state = case when is_told_by_another(message) then 'dropped' else 'pending' end
        where id = $1 and state = 'sending' and attempts = $2
        ",
        message.id.0,
        message.attempts,
        now + pause.max(wanted),
        reason
    )
    .execute(executor)
    .await
    .map(drop)
}

/// The carrier never takes the message: another channel is tried. A number that is not on WhatsApp is blocked there.
pub async fn refused(
    connection: &mut PgConnection,
    message: &Claimed,
    (refusal, reason): (Refusal, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    end(&mut *connection, message, (State::Failed, reason), true, now).await?;
    if refusal == Refusal::NotReachable {
        let blocked = feedback::Blocked::NotOnWhatsApp;
        feedback::block(connection, message.channel, &message.recipient, blocked).await?;
    }
    Ok(())
}

/// The carrier may have the message.
pub async fn not_known(
    executor: impl PgExecutor<'_>,
    message: &Claimed,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    end(executor, message, (State::Unknown, reason), false, now).await
}

/// The message is not sent: it does not hold any more, or its recipient is blocked; then another channel is tried.
pub async fn dropped(
    executor: impl PgExecutor<'_>,
    message: &Claimed,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    end(executor, message, (State::Dropped, reason), message.is_blocked, now).await
}

/// Ends a message that is being sent. A refusal also ends one whose fate was not known.
async fn end(
    executor: impl PgExecutor<'_>,
    message: &Claimed,
    (state, reason): (State, &str),
    falls_back: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update messages set state = $2, leased_until = null, reason = $3, ended_at = $4, falls_back = $5
        where id = $1 and (state = 'sending' or state = 'unknown' and $2 = 'failed')
        ",
        message.id.0,
        state as State,
        reason,
        now,
        falls_back
    )
    .execute(executor)
    .await
    .map(drop)
}

//! Transactional outbox: the schema's `write_message` writes a message in the transaction of its cause, and a job
//! delivers it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use crate::{
    bookings::status::BookingStatus,
    ids::{MessageId, UserId},
};

/// The kind of a message. Most notify people about a booking; payload `{"booking_id"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Encode, sqlx::Decode)]
#[sqlx(rename_all = "snake_case")]
pub enum Message {
    BookingCreated,
    BookingConfirmed,
    BookingInProgress,
    BookingCompleted,
    BookingCancelled,
    BookingRescheduled,
    BookingPaid,
    BookingRefunded,
    /// A refund has failed; for the shop's people. Payload `{"booking_id"}`.
    RefundFailed,
    /// The ways in to an account have changed; payload `{"user_id", "changed", "to"}`: `phone_number`, `email` or
    /// `password`, and a number or address that the account had verified before.
    WaysInChanged,
    /// An account was signed in to on a new device; payload `{"user_id", "to"}`.
    NewDevice,
    /// A refund to request from Razorpay; payload `{"refund_id"}`.
    Refund,
}

crate::database::kept_as_text!(Message);

impl From<BookingStatus> for Message {
    /// The message about a change to this status.
    fn from(status: BookingStatus) -> Self {
        match status {
            BookingStatus::Pending => Self::BookingCreated,
            BookingStatus::Confirmed => Self::BookingConfirmed,
            BookingStatus::InProgress => Self::BookingInProgress,
            BookingStatus::Completed => Self::BookingCompleted,
            BookingStatus::Cancelled => Self::BookingCancelled,
        }
    }
}

/// A due message, claimed until its next attempt is due.
#[derive(Debug)]
pub struct Due {
    pub id: MessageId,
    pub message: Message,
    pub payload: Value,
    /// Including this attempt.
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
}

/// Claims the message that has been due longest. The delay between attempts doubles from 30 seconds to an hour; a
/// message of a killed job is retried by a later one.
pub async fn claim(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<Due>> {
    // The exponent is capped at 7, already beyond an hour, so that the power cannot overflow.
    sqlx::query_as!(
        Due,
        r#"
        update outbox set
            attempts = attempts + 1,
            due_at = now() + least(interval '30 seconds' * power(2, least(attempts, 7)), interval '1 hour')
        where id = (
            select id from outbox
            where delivered_at is null and failed_at is null and due_at <= now()
            order by due_at limit 1 for update skip locked
        )
        returning id, kind as "message: Message", payload, attempts, created_at
        "#
    )
    .fetch_optional(executor)
    .await
}

/// Locks a claimed message in a transaction that delivers it; `false` if another job has delivered it.
pub async fn lock(executor: impl PgExecutor<'_>, id: MessageId) -> sqlx::Result<bool> {
    let open = sqlx::query_scalar!("select id from outbox where id = $1 and delivered_at is null for update", id.0)
        .fetch_optional(executor)
        .await?;
    Ok(open.is_some())
}

/// Marks a message as delivered.
pub async fn deliver(executor: impl PgExecutor<'_>, id: MessageId) -> sqlx::Result<()> {
    sqlx::query!("update outbox set delivered_at = now() where id = $1", id.0).execute(executor).await.map(drop)
}

/// Marks a message as failed: it is never claimed again, and a person must look at it.
pub async fn give_up(executor: impl PgExecutor<'_>, id: MessageId) -> sqlx::Result<()> {
    sqlx::query!("update outbox set failed_at = now() where id = $1", id.0).execute(executor).await.map(drop)
}

/// Lets a message that was given up be claimed again, at once; `false` if none was.
pub async fn retry(executor: impl PgExecutor<'_>, id: MessageId) -> sqlx::Result<bool> {
    // It counts as tried, so that a refund that Razorpay has made is not requested once more.
    let retried = sqlx::query!(
        "
        update outbox set failed_at = null, attempts = least(attempts, 1), due_at = now()
        where id = $1 and failed_at is not null
        ",
        id.0
    )
    .execute(executor)
    .await?;
    Ok(retried.rows_affected() == 1)
}

/// Deletes the messages to a user about the account: they name numbers and addresses.
pub async fn forget(executor: impl PgExecutor<'_>, user_id: UserId) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from outbox where kind in ('ways_in_changed', 'new_device') and (payload ->> 'user_id')::bigint = $1",
        user_id.0
    )
    .execute(executor)
    .await
    .map(drop)
}

/// Age in seconds of the oldest message still to be delivered; 0 if there is none.
pub async fn oldest_seconds(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select coalesce(extract(epoch from now() - min(created_at)), 0)::bigint as "seconds!" from outbox
        where delivered_at is null and failed_at is null
        "#
    )
    .fetch_one(executor)
    .await
}

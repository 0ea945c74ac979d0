//! Rows of the outbox become messages, to customer and staff.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::{PgConnection, PgExecutor};

use super::{Kind, Plan};
use crate::{
    Error, Result,
    carriers::Channel,
    ids::{BookingId, CustomerId, UserId},
    language::Language,
    outbox::{Due, Message},
};

#[derive(Deserialize)]
struct OfBooking {
    booking_id: BookingId,
}

#[derive(Deserialize)]
struct OfUser {
    user_id: UserId,
    /// Nothing, where only a device is new.
    #[serde(default)]
    changed: String,
    to: String,
}

/// Writes the messages that a row of the outbox asks for, in the transaction that marks the row as delivered. Without a
/// channel there are none. Returns how many.
pub async fn write(connection: &mut PgConnection, due: &Due, plan: &Plan, now: DateTime<Utc>) -> Result<u64> {
    if plan.channels.is_empty() {
        return Ok(0);
    }
    let (customer, staff, only_by_customer) = match due.message {
        Message::Refund | Message::BookingInProgress => return Ok(0),
        Message::WaysInChanged => return to_user(connection, due, plan, Kind::WaysInChanged, now).await,
        Message::NewDevice => return to_user(connection, due, plan, Kind::NewDevice, now).await,
        Message::BookingCreated => (Some(Kind::Created), Some(Kind::StaffCreated), false),
        Message::BookingConfirmed => (Some(Kind::Confirmed), None, false),
        Message::BookingCompleted => (Some(Kind::Completed), None, false),
        Message::BookingCancelled => (Some(Kind::Cancelled), Some(Kind::StaffCancelled), true),
        Message::BookingRescheduled => (Some(Kind::Rescheduled), Some(Kind::StaffRescheduled), true),
        Message::BookingPaid => (Some(Kind::Paid), None, false),
        Message::BookingRefunded => (Some(Kind::Refunded), None, false),
        Message::RefundFailed => (None, Some(Kind::StaffRefundFailed), false),
    };
    let OfBooking { booking_id } = serde_json::from_value(due.payload.clone()).map_err(Error::internal)?;
    if due.message == Message::BookingCreated && plan.booking_is_opt_in {
        opt_in(&mut *connection, booking_id).await?;
    }
    let mut written = 0;
    if let Some(kind) = customer {
        written += to_customer(&mut *connection, due, plan, (kind, booking_id), now).await?;
    }
    if let Some(kind) = staff.filter(|_| plan.channels.contains(&Channel::Email)) {
        written += to_staff(connection, due, plan, (kind, booking_id, only_by_customer), now).await?;
    }
    Ok(written)
}

/// The booking is its customer's opt-in to WhatsApp, where the form says so. Staff who book for a customer must ask.
async fn opt_in(executor: impl PgExecutor<'_>, booking_id: BookingId) -> sqlx::Result<()> {
    sqlx::query!(
        "
        insert into message_opt_ins (channel, recipient, how, at)
        select 'whatsapp', customer.phone, 'booking', booking.created_at
        from bookings booking join customers customer on customer.id = booking.customer_id
        where booking.id = $1 and booking.source in ('web', 'app') and customer.erased_at is null
        on conflict (channel, recipient) do nothing
        ",
        booking_id.0
    )
    .execute(executor)
    .await
    .map(drop)
}

async fn to_customer(
    executor: impl PgExecutor<'_>,
    due: &Due,
    plan: &Plan,
    (kind, booking_id): (Kind, BookingId),
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    // A move that waits to be told is told once, from where it began.
    let written = sqlx::query!(
        r#"
        insert into messages (cause, channel, recipient, kind, language, booking_id, details, due_at, worthless_at)
        select $2, way.channel, way.recipient, $3, coalesce(customer.language, $4), booking.id,
            jsonb_strip_nulls(jsonb_build_object('was', (
                select (event.changes -> 'appointment' ->> 0)::timestamp from booking_events event
                where event.booking_id = booking.id and event.created_at = $6
                    and event.event in ('rescheduled', 'overbooked')
                order by event.id limit 1
            ))),
            $7,
            case
                when $8 then (booking.appointment_date + booking.appointment_time) at time zone shop.time_zone
                else $9
            end
        from bookings booking
        join customers customer on customer.id = booking.customer_id
        join shops shop on shop.id = shop_id()
        cross join lateral (
            select * from message_ways($5, customer.phone, booking.customer_email) as ways order by ways.place limit 1
        ) as way
        where booking.id = $1 and customer.erased_at is null
        on conflict (booking_id, kind, channel, recipient)
            where kind in ('booking_rescheduled', 'staff_booking_rescheduled') and state = 'pending'
        do update set due_at = greatest(messages.due_at, excluded.due_at), worthless_at = excluded.worthless_at
        "#,
        booking_id.0,
        format!("outbox:{}", due.id),
        kind as Kind,
        plan.language as Language,
        &plan.channel_names(),
        due.created_at,
        now + kind.pause(),
        kind.ends_with_visit(),
        due.created_at + kind.life()
    )
    .execute(executor)
    .await?;
    Ok(written.rows_affected())
}

async fn to_staff(
    executor: impl PgExecutor<'_>,
    due: &Due,
    plan: &Plan,
    (kind, booking_id, only_by_customer): (Kind, BookingId, bool),
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let written = sqlx::query!(
        r#"
        insert into messages (cause, channel, recipient, kind, language, booking_id, details, due_at, worthless_at)
        select $2, 'email', person.address, $3, $4, $1,
            jsonb_strip_nulls(jsonb_build_object('was', (
                select (event.changes -> 'appointment' ->> 0)::timestamp from booking_events event
                where event.booking_id = $1 and event.created_at = $6 and event.event in ('rescheduled', 'overbooked')
                order by event.id limit 1
            ))),
            $7, $8
        from unnest($5::text[]) as person (address)
        where not exists (
                select from blocked_recipients blocked
                where blocked.channel = 'email' and blocked.recipient = person.address
            )
            and (not $9 or exists (
                select from booking_events event
                where event.booking_id = $1 and event.created_at = $6 and event.actor = 'customer'
            ))
        on conflict (booking_id, kind, channel, recipient)
            where kind in ('booking_rescheduled', 'staff_booking_rescheduled') and state = 'pending'
        do update set due_at = greatest(messages.due_at, excluded.due_at), worthless_at = excluded.worthless_at
        "#,
        booking_id.0,
        format!("outbox:{}", due.id),
        kind as Kind,
        plan.language as Language,
        &plan.staff,
        due.created_at,
        now + kind.pause(),
        due.created_at + kind.life(),
        only_by_customer
    )
    .execute(executor)
    .await?;
    Ok(written.rows_affected())
}

/// What happens to an account is told to the number or address that the message names: before a change, the old one.
async fn to_user(connection: &mut PgConnection, due: &Due, plan: &Plan, kind: Kind, now: DateTime<Utc>) -> Result<u64> {
    let OfUser { user_id, changed, to } = serde_json::from_value(due.payload.clone()).map_err(Error::internal)?;
    let (phone, email) = if to.contains('@') { (None, Some(&to)) } else { (Some(&to), None) };
    let written = sqlx::query!(
        "
        insert into messages (cause, channel, recipient, kind, language, user_id, details, due_at, worthless_at)
        select $1, way.channel, way.recipient, $2, $3, users.id, jsonb_build_object('changed', $4::text), $5, $6
        from users
        cross join lateral (
            select * from message_ways($7, $8, $9) as ways order by ways.place limit 1
        ) as way
        where users.id = $10
        ",
        format!("outbox:{}", due.id),
        kind as Kind,
        plan.language as Language,
        changed,
        now,
        due.created_at + kind.life(),
        &plan.channel_names(),
        phone,
        email,
        user_id.0
    )
    .execute(connection)
    .await?;
    Ok(written.rows_affected())
}

/// Deletes what names a customer who is erased: the messages, and what is known of the number and the addresses. That the
/// person wants no more messages stays, so that it is honoured.
pub async fn forget(connection: &mut PgConnection, id: CustomerId) -> sqlx::Result<()> {
    sqlx::query!(
        "
        with ways as (
            select phone as recipient from customers where id = $1
            union select lower(customer_email) from bookings where customer_id = $1 and customer_email is not null
        ), opt_in as (
            delete from message_opt_ins where recipient in (select recipient from ways)
        ), blocked as (
            delete from blocked_recipients
            where recipient in (select recipient from ways) and reason in ('bounced', 'not_on_whatsapp')
        )
        delete from messages
        where booking_id in (select id from bookings where customer_id = $1) and kind not like 'staff%'
        ",
        id.0
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes the messages to a user about the account: they name numbers and addresses.
pub async fn forget_user(executor: impl PgExecutor<'_>, id: UserId) -> sqlx::Result<()> {
    sqlx::query!("delete from messages where user_id = $1", id.0).execute(executor).await.map(drop)
}

//! What people of the shop do about a message: send it again, or say what became of it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Kind, State, channels};
use crate::{
    Error, Result,
    bookings::{Actor, booking},
    carriers::Channel,
    ids::{BookingId, SendingId},
};

/// Where the faults of these acts are.
const FIELD: &str = "message";

/// Writes a message to a customer anew, by the best way of today. Whether it still holds is decided when it is sent. The
/// one before is dealt with by that. `Error::Conflict` if it cannot be sent, or one like it waits.
pub async fn send_again(
    connection: &mut PgConnection,
    booking_id: BookingId,
    id: SendingId,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    // Two people who press at once send one message: the second finds the first one's.
    booking::lock(&mut *connection, booking_id).await?;
    let before = find(connection, booking_id, id).await?;
    if before.kind.is_for_staff() {
        return Err(Error::conflict(FIELD, "Messages to the shop's own people are not sent again."));
    }
    if before.is_underway {
        return Err(Error::conflict(FIELD, "This message is being sent already."));
    }
    settle(connection, id, actor, now).await?;
    let channels = channels(&mut *connection).await?;
    let names: Vec<String> = channels.iter().map(|channel| Channel::as_str(*channel).to_owned()).collect();
    let written = sqlx::query!(
        "
        insert into messages (
            cause, channel, recipient, kind, language, booking_id, details, due_at, worthless_at, actor
        )
        select 'again:' || gen_random_uuid(), way.channel, way.recipient, before.kind,
            coalesce(customer.language, before.language), booking.id, before.details, $3,
            case
                when $4 then (booking.appointment_date + booking.appointment_time) at time zone shop.time_zone
                else $5
            end,
            $6
        from messages before
        join bookings booking on booking.id = before.booking_id
        join customers customer on customer.id = booking.customer_id
        join shops shop on shop.id = shop_id()
        cross join lateral (
            select * from message_ways($2, customer.phone, booking.customer_email) as ways order by ways.place limit 1
        ) as way
        where before.id = $1 and customer.erased_at is null
        ",
        id.0,
        &names,
        now,
        before.kind.ends_with_visit(),
        now + before.kind.life(),
        actor.to_string()
    )
    .execute(connection)
    .await?;
    if written.rows_affected() == 0 {
        let sentence = if channels.is_empty() {
            "No way to send messages is set up."
        } else {
            "There is no way to reach this customer: no address, no consent to WhatsApp, or messages were stopped."
        };
        return Err(Error::conflict(FIELD, sentence));
    }
    Ok(())
}

/// Notes that a message of which nothing is known has arrived.
pub async fn arrived(
    connection: &mut PgConnection,
    booking_id: BookingId,
    id: SendingId,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    dealt_with(&mut *connection, booking_id, id, actor, now).await?;
    sqlx::query!(
        "update messages set state = 'delivered', delivered_at = $2 where id = $1 and state = 'unknown'",
        id.0,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a message that did not arrive was dealt with.
pub async fn dealt_with(
    connection: &mut PgConnection,
    booking_id: BookingId,
    id: SendingId,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    booking::lock(&mut *connection, booking_id).await?;
    find(connection, booking_id, id).await?;
    Ok(settle(connection, id, actor, now).await?)
}

struct Before {
    kind: Kind,
    /// Whether it, or another one of its kind for the booking's customer, is still to be sent.
    is_underway: bool,
}

async fn find(connection: &mut PgConnection, booking_id: BookingId, id: SendingId) -> Result<Before> {
    sqlx::query_as!(
        Before,
        r#"
        select message.kind as "kind: Kind",
            exists (
                select from messages other
                where other.booking_id = message.booking_id and other.kind = message.kind
                    and other.state in ('pending', 'sending')
            ) as "is_underway!"
        from messages message where message.id = $1 and message.booking_id = $2
        "#,
        id.0,
        booking_id.0
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound("Message"))
}

async fn settle(connection: &mut PgConnection, id: SendingId, actor: &Actor, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "
        update messages set settled_at = $2, settled_by = $3
        where id = $1 and settled_at is null and state = any ($4)
        ",
        id.0,
        now,
        actor.to_string(),
        &[State::Failed, State::Unknown] as &[State]
    )
    .execute(connection)
    .await
    .map(drop)
}

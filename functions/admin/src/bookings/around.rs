//! What the page of a booking shows beside it: the customer's other visits, money, services to add, the timeline.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;
use shared::{
    Result,
    bookings::{links::Scope, status::BookingStatus},
    carriers::Channel,
    database::Database,
    ids::{BookingId, LinkId, PaymentId, ServiceId},
};
use sqlx::types::Json;

use super::{messages::Message, timeline::Entry};

/// Another booking of the customer.
#[derive(Debug, Deserialize)]
pub(super) struct Visit {
    pub(super) id: BookingId,
    pub(super) reference: String,
    pub(super) date: NaiveDate,
    pub(super) time: NaiveTime,
    pub(super) model: String,
    pub(super) status: BookingStatus,
    pub(super) is_no_show: bool,
}

/// Money that came for the booking.
#[derive(Debug, Deserialize)]
pub(super) struct Taken {
    pub(super) payment: PaymentId,
    pub(super) is_cash: bool,
    /// As Razorpay tells it, such as `upi`.
    pub(super) means: Option<String>,
    pub(super) at: NaiveDateTime,
    pub(super) amount: i64,
    pub(super) refunded: i64,
}

/// A service that could be added.
#[derive(Debug, Deserialize)]
pub(super) struct Offered {
    pub(super) id: ServiceId,
    pub(super) name: String,
    pub(super) price: i64,
    pub(super) minutes: i32,
}

/// A link that manages the booking and has not ended.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) scope: Scope,
    pub(super) purpose: String,
    pub(super) at: NaiveDateTime,
}

/// What a booking's page shows beside it.
pub(super) struct Around {
    pub(super) customer_notes: String,
    pub(super) is_erased: bool,
    pub(super) has_begun: bool,
    pub(super) visits: Vec<Visit>,
    pub(super) taken: Vec<Taken>,
    pub(super) offered: Vec<Offered>,
    pub(super) links: Vec<Link>,
    pub(super) messages: Vec<Message>,
    /// The channels that are configured.
    pub(super) channels: Vec<Channel>,
    pub(super) story: Vec<Entry>,
}

/// Loads all of it in one statement.
pub(super) async fn around(database: &Database, id: BookingId) -> Result<Around> {
    let found = sqlx::query!(
        r#"
        select customer.notes, customer.erased_at is not null as "is_erased!",
            booking.appointment_date + booking.appointment_time <= shop_clock(now()) as "has_begun!",
            (
                select coalesce(json_agg(visit order by visit.date desc, visit.time desc), '[]')
                from (
                    select other.id, other.reference, other.appointment_date as date, other.appointment_time as time,
                        brand.name || ' ' || model.name as model, other.booking_status as status, other.is_no_show
                    from bookings other
                    join vehicle_models model on model.id = other.vehicle_model_id
                    join vehicle_brands brand on brand.id = model.vehicle_brand_id
                    where other.customer_id = booking.customer_id and other.id <> booking.id
                    order by other.appointment_date desc, other.appointment_time desc
                    limit 10
                ) as visit
            ) as "visits!: Json<Vec<Visit>>",
            (
                select coalesce(json_agg(json_build_object(
                    'payment', payment_id, 'is_cash', gateway_payment_id is null, 'means', means,
                    'at', shop_clock(captured_at), 'amount', amount_paise, 'refunded', refunded_paise
                ) order by captured_at, id), '[]')
                from captures where captures.booking_id = booking.id and state = 'captured' and currency = 'INR'
            ) as "taken!: Json<Vec<Taken>>",
            (
                select coalesce(json_agg(json_build_object(
                    'id', service.id, 'name', service.name, 'price', price.price_paise, 'minutes', service.duration_minutes
                ) order by lower(service.name)), '[]')
                from service_prices price
                join services service on service.id = price.service_id and service.archived_at is null
                join service_categories category
                    on category.id = service.service_category_id and category.archived_at is null
                where price.vehicle_model_id = booking.vehicle_model_id and not exists (
                    select from booking_services line where line.booking_id = booking.id and line.service_id = service.id
                )
            ) as "offered!: Json<Vec<Offered>>",
            (
                select coalesce(json_agg(json_build_object(
                    'id', link.id, 'scope', link.scope, 'purpose', link.purpose, 'at', shop_clock(link.created_at)
                ) order by link.id desc), '[]')
                from (
                    select * from live_booking_links where booking_id = booking.id order by id desc limit 100
                ) as link
            ) as "links!: Json<Vec<Link>>",
            (
                select coalesce(json_agg(json_build_object(
                    'id', message.id, 'kind', message.kind, 'channel', message.channel, 'recipient', message.recipient,
                    'state', message.state, 'reason', message.reason,
                    'at', shop_clock(case message.state
                        when 'pending' then message.due_at
                        when 'sending' then message.created_at
                        else coalesce(message.read_at, message.delivered_at, message.ended_at, message.sent_at, message.created_at)
                    end),
                    'is_undelivered', exists (select from undelivered_messages lost where lost.id = message.id),
                    'sent_by', name_of_actor(message.actor), 'settled_by', name_of_actor(message.settled_by)
                ) order by message.id desc), '[]')
                from (
                    select * from messages where booking_id = booking.id order by id desc limit 100
                ) as message
            ) as "messages!: Json<Vec<Message>>",
            array(select channel from message_channels order by place) as "channels!: Vec<Channel>",
            (
                select coalesce(json_agg(json_build_object(
                    'at', shop_clock(event.created_at), 'event', event.event, 'actor', event.actor,
                    'actor_name', name_of_actor(event.actor), 'reason', event.reason, 'changes', event.changes
                ) order by event.id desc), '[]')
                from (
                    select * from booking_events where booking_id = booking.id order by id desc limit 500
                ) as event
            ) as "story!: Json<Vec<Entry>>"
        from bookings booking join customers customer on customer.id = booking.customer_id
        where booking.id = $1
        "#,
        id.0
    )
    .fetch_one(&database.pool())
    .await?;
    Ok(Around {
        customer_notes: found.notes,
        is_erased: found.is_erased,
        has_begun: found.has_begun,
        visits: found.visits.0,
        taken: found.taken.0,
        offered: found.offered.0,
        links: found.links.0,
        messages: found.messages.0,
        channels: found.channels,
        story: found.story.0,
    })
}

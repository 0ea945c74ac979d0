//! What a message is about, as it is when the message is sent.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use sqlx::PgExecutor;

use super::{Claimed, Kind};
use crate::{
    bookings::status::{BookingStatus, PaymentStatus, ServiceLocation},
    ids::SendingId,
};

/// The booking of a message, the shop, and what the message keeps of its cause. Times are on the shop's clock.
#[derive(Clone, Debug)]
pub struct Situation {
    pub now: NaiveDateTime,
    pub shop: String,
    pub shop_phone: String,
    pub shop_address: String,
    pub reference: String,
    pub name: String,
    pub vehicle: String,
    pub status: BookingStatus,
    pub payment_status: PaymentStatus,
    pub location: ServiceLocation,
    pub address: String,
    /// When the visit begins; `None` without a booking.
    pub start: Option<NaiveDateTime>,
    pub total_paise: i64,
    pub refunded_paise: i64,
    pub is_erased: bool,
    pub wants_reminders: bool,
    /// The appointment before a move.
    pub was: Option<NaiveDateTime>,
    /// The appointment that a reminder is for.
    pub appointment: Option<NaiveDateTime>,
    /// What of an account has changed: `phone_number`, `email` or `password`.
    pub changed: String,
    /// The shop's own words in mails of the kind.
    pub own_text: Option<String>,
}

impl Situation {
    /// Whether the visit is when and where it was before the first move.
    pub fn is_moved_back(&self) -> bool {
        self.was.is_some() && self.was == self.start
    }
}

impl Default for Situation {
    /// Without a booking.
    fn default() -> Self {
        Self {
            now: NaiveDateTime::default(),
            shop: String::new(),
            shop_phone: String::new(),
            shop_address: String::new(),
            reference: String::new(),
            name: String::new(),
            vehicle: String::new(),
            status: BookingStatus::Pending,
            payment_status: PaymentStatus::Pending,
            location: ServiceLocation::Shop,
            address: String::new(),
            start: None,
            total_paise: 0,
            refunded_paise: 0,
            is_erased: false,
            wants_reminders: true,
            was: None,
            appointment: None,
            changed: String::new(),
            own_text: None,
        }
    }
}

/// The situations of claimed messages, by message, in one read.
pub async fn situations(
    executor: impl PgExecutor<'_>,
    claimed: &[Claimed],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<SendingId, Situation>> {
    let ids: Vec<i64> = claimed.iter().map(|message| message.id.0).collect();
    let found = sqlx::query!(
        r#"
        select message.id, message.kind as "kind: Kind", $2 at time zone shop.time_zone as "now!", shop.name as shop,
            shop.phone as shop_phone, shop.address as shop_address, booking.reference as "reference?",
            booking.customer_name as "name?",
            (
                select brand.name || ' ' || model.name
                from vehicle_models model join vehicle_brands brand on brand.id = model.vehicle_brand_id
                where model.id = booking.vehicle_model_id
            ) as vehicle,
            booking.booking_status as "status?: BookingStatus", booking.payment_status as "payment_status?: PaymentStatus",
            booking.service_location as "location?: ServiceLocation", booking.address as "address?",
            booking.appointment_date + booking.appointment_time as start, booking.total_paise as "total_paise?",
            (
                select coalesce(sum(refund.amount_paise), 0)::bigint from refunds refund
                where refund.booking_id = booking.id and refund.state = 'processed'
            ) as "refunded_paise!",
            coalesce(customer.erased_at is not null, false) as "is_erased!",
            not exists (
                select from reminder_opt_outs refused where refused.customer_id = customer.id
            ) as "wants_reminders!",
            (message.details ->> 'was')::timestamp as was, (message.details ->> 'appointment')::timestamp as appointment,
            coalesce(message.details ->> 'changed', '') as "changed!", own.text as "own_text?"
        from messages message
        join shops shop on shop.id = shop_id()
        left join bookings booking on booking.id = message.booking_id
        left join customers customer on customer.id = booking.customer_id
        left join message_texts own on own.kind = message.kind and own.language = message.language
        where message.id = any ($1)
        "#,
        &ids,
        now
    )
    .fetch_all(executor)
    .await?;
    Ok(found
        .into_iter()
        .map(|row| {
            let situation = Situation {
                now: row.now,
                shop: row.shop,
                shop_phone: row.shop_phone,
                shop_address: row.shop_address,
                reference: row.reference.unwrap_or_default(),
                name: row.name.unwrap_or_default(),
                vehicle: row.vehicle.unwrap_or_default(),
                status: row.status.unwrap_or(BookingStatus::Pending),
                payment_status: row.payment_status.unwrap_or(PaymentStatus::Pending),
                location: row.location.unwrap_or(ServiceLocation::Shop),
                address: row.address.unwrap_or_default(),
                start: row.start,
                total_paise: row.total_paise.unwrap_or_default(),
                refunded_paise: row.refunded_paise,
                is_erased: row.is_erased,
                wants_reminders: row.wants_reminders,
                was: row.was,
                appointment: row.appointment,
                changed: row.changed,
                own_text: row.own_text,
            };
            (SendingId(row.id), situation)
        })
        .collect())
}

//! Creates a booking from a draft, in the caller's transaction.

use sqlx::PgConnection;

use super::{
    Actor, Booking,
    access_token::AccessToken,
    appointment::Rules,
    facts,
    plan::{Draft, OnlinePayment, Plan},
    reference,
    slot_usage::{self, Refused, Room},
    status::{BookingSource, BookingStatus},
    timeline::Event,
    unproved::{self, Unproved},
};
use crate::{Error, Result, ids::ServiceId, logging::name_bookings, outbox::Message, select_bookings};

/// A new booking and its access token, of which only the hash is stored.
#[derive(Debug)]
pub struct Created {
    pub booking: Booking,
    pub access_token: AccessToken,
}

/// Who makes a booking, and what binds it.
#[derive(Clone, Debug)]
pub struct Terms {
    pub actor: Actor,
    pub source: BookingSource,
    pub rules: Rules,
    pub online: OnlinePayment,
    /// What limits it, if its caller has not proved the number.
    pub unproved: Option<Unproved>,
}

impl Terms {
    /// A booking by a customer on the web site or in the app.
    pub const fn customer(online: OnlinePayment, unproved: Option<Unproved>) -> Self {
        Self { actor: Actor::Customer, source: BookingSource::Web, rules: Rules::Customer, online, unproved }
    }

    /// What binds a draft that was sent: the rules of the counter if staff sent it, those of customers otherwise.
    pub fn of(draft: &mut Draft, staff: Option<Actor>, online: OnlinePayment, unproved: Option<Unproved>) -> Self {
        let Some(actor) = staff else {
            if let Some(BookingSource::Counter | BookingSource::Phone) = draft.source {
                draft.faults.add("source", "Only staff book at the counter or on the phone.");
            }
            return Self { source: draft.source.unwrap_or(BookingSource::Web), ..Self::customer(online, unproved) };
        };
        let rules = if draft.force == Some(true) { Rules::Overbook } else { Rules::Counter };
        Self { actor, source: draft.source.unwrap_or(BookingSource::Counter), rules, online, unproved: None }
    }
}

/// Creates a booking. The rows of its quarters have the most lock contention, so they are locked last and only until the commit.
pub async fn create(connection: &mut PgConnection, draft: Draft, terms: &Terms) -> Result<Created, Refused> {
    let facts = facts::load(&mut *connection, draft.question()).await?;
    let plan = draft.plan(&facts, terms.online, terms.rules)?;
    let of_unproved = terms.unproved.as_ref();
    if of_unproved.is_some_and(|unproved| !unproved.limits.admits(plan.visit.duration_minutes)) {
        return Err(Error::ProofNeeded.into());
    }
    let access_token = AccessToken::generate()?;
    let booking = insert(connection, &plan, &access_token, terms).await?;
    name_bookings([booking.id]);
    let capacity = facts.capacity(plan.visit.location);
    let room = of_unproved.map_or(Room { capacity, unproved: None }, |unproved| unproved.limits.room(capacity));
    if terms.rules != Rules::Overbook {
        slot_usage::take(connection, room, &plan.visit).await?;
    } else if slot_usage::force(connection, room, None, &plan.visit).await? {
        sqlx::query!(
            "select write_event($1, $2, $3, $3, $4) as event",
            booking.id.0,
            Event::Overbooked as Event,
            booking.booking_status as BookingStatus,
            terms.actor.to_string()
        )
        .fetch_one(connection)
        .await?;
    }
    Ok(Created { booking, access_token })
}

/// Inserts customer, booking, services, timeline event and outbox message. The customer row holds only the phone
/// number: name and e-mail of an anonymous caller are stored with this booking alone.
async fn insert(connection: &mut PgConnection, plan: &Plan, token: &AccessToken, terms: &Terms) -> Result<Booking> {
    let services: Vec<ServiceId> = plan.lines.iter().map(|line| line.service_id).collect();
    let prices: Vec<i64> = plan.lines.iter().map(|line| line.price_paise).collect();
    let Plan { draft, visit, .. } = plan;
    // Postgres skips a select CTE that is never read: the filter reads `told`, so that its functions run.
    let inserted = select_bookings!(
        with r#"
        with customers as (
            insert into customers (phone) values ($1)
            on conflict (phone) do update set phone = excluded.phone
            returning *
        ), bookings as (
            insert into bookings (
                reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
                appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
                payment_method, notes, access_token_sha256, access_token_expires_at, source, is_unproved
            )
            select $2, customers.id, $3, $4, $5, $6::text::service_location, $7, $8, $9, $10, quarters($9, $10), $11, $12,
                $13::text::payment_method, $14, $15, access_token_expiry($8, $9), $21::text::booking_source,
                $22::bytea is not null
            from customers
            returning *
        ), booking_services as (
            insert into booking_services (booking_id, service_id, price_paise)
            select bookings.id, wanted.service_id, wanted.price_paise
            from bookings, unnest($16::bigint[], $17::bigint[]) with ordinality as wanted (service_id, price_paise, place)
            order by wanted.place
            returning *
        ), told as (
            select write_event(id, $18, null, booking_status, $19),
                write_message($20, jsonb_build_object('booking_id', id))
            from bookings
        ), limited as (
            select limit_unproved(id, customer_id, $22, $23, $24) from bookings where is_unproved
        )
        "#,
        "exists (select from told) and (select count(*) from limited) >= 0",
        plan.customer_phone.as_str(),
        reference::generate()?,
        draft.customer_name,
        draft.customer_email,
        plan.model.id.0,
        visit.location.as_str(),
        draft.address,
        visit.date,
        visit.time,
        i32::try_from(visit.occupied.minutes()).map_err(Error::internal)?,
        i32::try_from(visit.duration_minutes).map_err(Error::internal)?,
        plan.total_paise,
        draft.payment_method.as_str(),
        draft.notes,
        &token.sha256(),
        &services as &[ServiceId],
        &prices,
        Event::Created as Event,
        terms.actor.to_string(),
        Message::BookingCreated as Message,
        terms.source.as_str(),
        terms.unproved.as_ref().map(|unproved| unproved.address_hash.as_slice()),
        terms.unproved.as_ref().and_then(|unproved| unproved.limits.open_per_phone),
        terms.unproved.as_ref().and_then(|unproved| unproved.limits.a_day_per_address)
    )
    .fetch_one(connection)
    .await
    .map_err(unproved::refusal)?;
    Ok(inserted)
}

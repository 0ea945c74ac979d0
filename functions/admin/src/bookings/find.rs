//! Finds the bookings of the list.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;
use shared::{
    Result,
    bookings::{
        reference,
        search::Key,
        status::{BookingSource, BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
    },
    database::Database,
    ids::{BookingId, CustomerId},
    logging::name_bookings,
    written::Written,
};
use sqlx::{PgConnection, types::Json};

use super::scopes::{self, Scopes};
use crate::kit::{
    ask::{Ask, Side},
    rows::Rows,
};

/// A booking of the list.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: BookingId,
    pub(super) version: i32,
    pub(super) reference: String,
    pub(super) customer_id: CustomerId,
    pub(super) customer: String,
    pub(super) phone: String,
    pub(super) email: Option<String>,
    pub(super) model: String,
    pub(super) services: String,
    pub(super) location: ServiceLocation,
    pub(super) date: NaiveDate,
    pub(super) time: NaiveTime,
    pub(super) total: i64,
    pub(super) payment_status: PaymentStatus,
    pub(super) payment_method: PaymentMethod,
    pub(super) status: BookingStatus,
    pub(super) is_no_show: bool,
    pub(super) source: BookingSource,
    pub(super) created: NaiveDateTime,
}

/// What the list shows.
pub(super) struct Found {
    pub(super) rows: Rows<Row>,
    pub(super) scopes: Scopes,
}

/// The bookings that the address asks for, and how many each scope has.
pub(super) async fn find(database: &Database, ask: &Ask) -> Result<Found> {
    let work = async |connection: &mut PgConnection| {
        let scopes = scopes::count(connection).await?;
        let all = Some(scopes.all).filter(|_| ask.is_unfiltered());
        Ok(Found { rows: page(connection, ask, all).await?, scopes })
    };
    database.planned_anew(work).await
}

/// The bookings that the address asks for.
pub(super) async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
    database.planned_anew(async |connection| page(connection, ask, None).await).await
}

/// The rows of a page. How many match is counted if it is not known.
async fn page(connection: &mut PgConnection, ask: &Ask, known: Option<i64>) -> Result<Rows<Row>> {
    let (rows, counted) = select(connection, ask, if known.is_some() { 0 } else { ask.most_counted() }).await?;
    let side = ask.key(key).map(|(_, side)| side);
    let key = |row: &Row| Key::of_appointment(row.date, row.time, row.id).to_string();
    let page = Rows::page(rows, known.unwrap_or(counted), ask, side, key);
    name_bookings(page.rows.iter().map(|row| row.id));
    Ok(page)
}

/// Reads the key of a booking.
fn key(text: &str) -> Option<Key> {
    Key::parse(text).ok()
}

/// What the address chooses from lists of values.
struct Choices {
    status: Option<BookingStatus>,
    is_no_show: bool,
    paid: Option<PaymentStatus>,
    method: Option<PaymentMethod>,
    place: Option<ServiceLocation>,
    source: Option<BookingSource>,
    /// Names a value that does not exist: this matches nothing, rather than everything.
    is_impossible: bool,
}

impl Choices {
    fn of(ask: &Ask) -> Self {
        let value = |name: &str| ask.value(name).unwrap_or_default();
        let mut choices = Self {
            status: BookingStatus::parse(value("status")).ok(),
            is_no_show: value("status") == "no_show",
            paid: match value("paid") {
                "yes" => Some(PaymentStatus::Completed),
                "no" => Some(PaymentStatus::Pending),
                "refunded" => Some(PaymentStatus::Refunded),
                _ => None,
            },
            method: PaymentMethod::parse(value("method")).ok(),
            place: ServiceLocation::parse(value("place")).ok(),
            source: BookingSource::parse(value("source")).ok(),
            is_impossible: false,
        };
        let known = [
            ("status", choices.status.is_some() || choices.is_no_show),
            ("paid", choices.paid.is_some()),
            ("method", choices.method.is_some()),
            ("place", choices.place.is_some()),
            ("source", choices.source.is_some()),
        ];
        choices.is_impossible = known.iter().any(|(name, is_known)| ask.value(name).is_some() && !is_known);
        choices
    }
}

/// The rows of a page and one more, in the reversed order if they end in front of a key; and how many match.
///
/// Every `case` is constant to the planner, which drops those that are null and finds an index for the one that is not.
#[expect(clippy::too_many_lines, reason = "one statement")]
async fn select(connection: &mut PgConnection, ask: &Ask, most_counted: i64) -> Result<(Vec<Row>, i64)> {
    let text = ask.value("q").unwrap_or_default();
    let (model_id, model_name) = ask.id_or_pattern("model");
    let choices = Choices::of(ask);
    let key = ask.key(key);
    let (date, time) = key.map(|(key, _)| key.appointment()).unzip();
    let found = sqlx::query!(
        r#"
        with clock as (
            -- Once, because a call per row would be most of the statement's time.
            select shop_clock(now()) as now, shop_clock(now())::date as today,
                coalesce((select time_zone from shops where id = shop_id()), 'UTC') as zone
        ), matching as not materialized (
            select booking.id, booking.reference, booking.customer_name, brand.name || ' ' || model.name as model, booking.service_location,
                booking.appointment_date, booking.appointment_time, booking.total_paise, booking.payment_method,
                case when booking.payment_status <> 'pending' or booking.booking_status <> 'cancelled'
                    then booking.payment_status end as paid,
                booking.booking_status, booking.is_no_show, booking.created_at
            from bookings booking
            -- Left joins, because those that no filter reads are left out of the plan.
            left join vehicle_models model on model.id = booking.vehicle_model_id
            left join vehicle_brands brand on brand.id = model.vehicle_brand_id
            where ($1::date is null or booking.appointment_date >= $1)
                and ($2::date is null or booking.appointment_date <= $2)
                and ($3::booking_status is null or booking.booking_status = $3)
                and (not $4 or booking.is_no_show)
                and not $22
                and ($5::payment_status is null or booking.payment_status = $5
                    and ($5 <> 'pending' or booking.booking_status <> 'cancelled'))
                and ($6::payment_method is null or booking.payment_method = $6)
                and ($7::service_location is null or booking.service_location = $7)
                and ($8::bigint is null or exists (
                    select from booking_services line where line.booking_id = booking.id and line.service_id = $8
                ))
                and ($9::bigint is null or booking.vehicle_model_id = $9)
                and ($10::text is null or lower(brand.name || ' ' || model.name) like $10)
                and ($11::booking_source is null or booking.source = $11)
                and ($12::date is null or (booking.created_at at time zone (select zone from clock))::date >= $12)
                and ($13::date is null or (booking.created_at at time zone (select zone from clock))::date <= $13)
                and case $14
                    when 'to_confirm' then booking.booking_status = 'pending'
                    when 'today' then is_on(booking, (select today from clock))
                    when 'upcoming' then is_upcoming(booking, (select today from clock))
                    when 'unpaid' then is_unpaid(booking)
                    when 'done' then booking.booking_status = 'completed'
                    when 'cancelled' then booking.booking_status = 'cancelled'
                    when 'late' then booking.appointment_date <= (select today from clock)
                        and is_late(booking, (select now from clock))
                    else true
                end
                and (
                    $15::text is null or booking.customer_name ilike $15 or booking.customer_email ilike $15
                    or booking.reference = $16 or booking.id::text = $17
                    or lower(brand.name || ' ' || model.name) like $15
                    or booking.customer_id in (select id from customers where phone like $18)
                )
        ), page as (
            select id, place
            from unnest(array(
                select id from matching
                where $24::bigint is null or case when $27
                    then (appointment_date, appointment_time) >= ($25, $26)
                        and ((appointment_date, appointment_time) > ($25, $26) or id < $24)
                    else (appointment_date, appointment_time) <= ($25, $26)
                        and ((appointment_date, appointment_time) < ($25, $26) or id > $24)
                end
                order by
                    case when $27 then appointment_date end, case when $27 then appointment_time end,
                    case when $27 then id end desc,
                    case when $19 = 'id' then id end, case when $19 = '-id' then id end desc,
                    case when $19 = 'total' then total_paise end, case when $19 = '-total' then total_paise end desc,
                    case when $19 = 'created' then created_at end, case when $19 = '-created' then created_at end desc,
                    case when $19 = 'reference' then reference end, case when $19 = '-reference' then reference end desc,
                    case $19 when 'customer' then lower(customer_name) when 'model' then lower(model) end,
                    case $19 when '-customer' then lower(customer_name) when '-model' then lower(model) end desc,
                    case $19 when 'status' then booking_status end, case $19 when '-status' then booking_status end desc,
                    case $19 when 'status' then is_no_show end, case $19 when '-status' then is_no_show end desc,
                    case $19 when 'paid' then paid end, case $19 when '-paid' then paid end desc nulls last,
                    case $19 when 'paid' then payment_method end, case $19 when '-paid' then payment_method end desc,
                    case $19 when 'place' then service_location end, case $19 when '-place' then service_location end desc,
                    case when $19 = 'date' then appointment_date end, case when $19 = 'date' then appointment_time end,
                    appointment_date desc, appointment_time desc, id
                limit $20 offset $21
            )) with ordinality as one (id, place)
        )
        select
            coalesce((
                select json_agg(json_build_object(
                    'id', booking.id, 'version', booking.version, 'reference', booking.reference,
                    'customer_id', booking.customer_id, 'customer', booking.customer_name, 'phone', customer.phone,
                    'email', booking.customer_email, 'model', brand.name || ' ' || model.name,
                    'services', (
                        select string_agg(service.name, ', ' order by line.id)
                        from booking_services line join services service on service.id = line.service_id
                        where line.booking_id = booking.id
                    ),
                    'location', booking.service_location, 'date', booking.appointment_date, 'time', booking.appointment_time,
                    'total', booking.total_paise, 'payment_status', booking.payment_status,
                    'payment_method', booking.payment_method, 'status', booking.booking_status,
                    'is_no_show', booking.is_no_show, 'source', booking.source, 'created', booking.created_at at time zone (select zone from clock)
                ) order by page.place)
                from page
                join bookings booking on booking.id = page.id
                join customers customer on customer.id = booking.customer_id
                join vehicle_models model on model.id = booking.vehicle_model_id
                join vehicle_brands brand on brand.id = model.vehicle_brand_id
            ), '[]') as "rows!: Json<Vec<Row>>",
            (select count(*) from (select from matching limit $23) as counted) as "count!"
        "#,
        ask.day("date_from"),
        ask.day("date_to"),
        choices.status as Option<BookingStatus>,
        choices.is_no_show,
        choices.paid as Option<PaymentStatus>,
        choices.method as Option<PaymentMethod>,
        choices.place as Option<ServiceLocation>,
        ask.id("service"),
        model_id,
        model_name,
        choices.source as Option<BookingSource>,
        ask.day("created_from"),
        ask.day("created_to"),
        ask.value("scope").unwrap_or_default(),
        ask.pattern(),
        reference::normalized(text),
        text,
        ask.phone_pattern(),
        ask.sort(),
        ask.limit() + 1,
        if key.is_some() { 0 } else { ask.offset() },
        choices.is_impossible,
        most_counted,
        key.map(|(key, _)| key.id),
        date,
        time,
        key.is_some_and(|(_, side)| side == Side::Before)
    )
    .fetch_one(connection)
    .await?;
    Ok((found.rows.0, found.count))
}

//! Search of bookings by status, day, payment, location and text.

mod key;
mod ordering;
mod place;
mod text;

use chrono::NaiveDate;
use sqlx::PgConnection;
use utoipa::IntoParams;

use super::{
    Booking,
    status::{BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
};
use crate::{
    database::Database,
    http::{Counted, Fields, Paging, Read},
    select_bookings,
};

pub use key::Key;
use ordering::Ordering;
use place::Begin;
pub use place::Place;
use text::Search;

/// Maximum number of bookings in one response.
pub const LONGEST_LIST: usize = 500;
/// Bookings that match are counted up to this number, so that a count costs the same however many bookings there are.
const HIGHEST_COUNT: usize = 10_000;

/// Which bookings are looked for; all filters must match.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    #[param(inline)]
    status: Option<BookingStatus>,
    /// The day of the appointment.
    date: Option<NaiveDate>,
    /// The first of several days.
    date_from: Option<NaiveDate>,
    /// The last of several days.
    date_to: Option<NaiveDate>,
    /// A part of the name, of the e-mail or of the phone number (three digits or more); or a reference in any spelling; or
    /// the booking's id.
    #[param(value_type = Option<String>, example = "98765 43210")]
    search: Option<Search>,
    #[param(inline)]
    payment_status: Option<PaymentStatus>,
    #[param(inline)]
    payment_method: Option<PaymentMethod>,
    #[param(inline)]
    service_location: Option<ServiceLocation>,
    /// By appointment if it is missing; a minus sign turns the order round. Of equal ones the newest booking comes first.
    #[param(inline)]
    ordering: Option<Ordering>,
    /// Without `page_size`: at most so many bookings. Never more than 500 are listed.
    #[param(minimum = 1)]
    limit: Option<i64>,
}

impl Read for Filter {
    fn read(fields: &mut Fields) -> Option<Self> {
        let filter = Self {
            status: fields.value_if_any("status"),
            date: fields.value_if_any("date"),
            date_from: fields.value_if_any("date_from"),
            date_to: fields.value_if_any("date_to"),
            search: fields.value_if_any("search"),
            payment_status: fields.value_if_any("payment_status"),
            payment_method: fields.value_if_any("payment_method"),
            service_location: fields.value_if_any("service_location"),
            ordering: fields.value_if_any("ordering"),
            limit: fields.integer_within("limit", 1..=i64::MAX),
        };
        if filter.date_from.zip(filter.date_to).is_some_and(|(from, to)| from > to) {
            fields.faults.add("date_to", "Ensure this date is not before date_from.");
        }
        Some(filter)
    }
}

impl Filter {
    /// Whether neither an order nor a number of bookings was asked for: then the latest appointments matter most.
    pub fn is_in_default_order(&self) -> bool {
        self.ordering.is_none() && self.limit.is_none()
    }

    /// How many bookings are listed, and where they begin.
    fn window(&self, page: Option<(Paging, Place)>) -> (usize, Begin) {
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LONGEST_LIST);
        page.map_or((limit.min(LONGEST_LIST), Begin::Behind(0)), |(paging, place)| {
            (paging.page_size, place.begin(paging))
        })
    }
}

/// Hands each booking over as it is read, in the order that is asked for: a long list need not be in memory. Tells how many
/// match.
pub async fn find(
    database: &Database,
    filter: &Filter,
    page: Option<(Paging, Place)>,
    each: impl FnMut(Booking) + Send,
) -> sqlx::Result<Counted> {
    // Page and count must be of one snapshot.
    database.planned_anew(async |connection| select(connection, filter, page, each).await).await
}

/// Finds matching ids in the indexes alone where possible; reads whole rows for the page only.
#[expect(clippy::too_many_lines, reason = "one statement")]
async fn select(
    connection: &mut PgConnection,
    filter: &Filter,
    page: Option<(Paging, Place)>,
    mut each: impl FnMut(Booking) + Send,
) -> sqlx::Result<Counted> {
    let (limit, begin) = filter.window(page);
    // A whole list that is too long leaves the earliest appointments out.
    let is_latest = filter.is_in_default_order() && page.is_none();
    let default = if is_latest { Ordering::AppointmentDateDown } else { Ordering::AppointmentDate };
    let ordering = filter.ordering.unwrap_or(default);
    // What is in front of a key is read from there, in the reversed order.
    let is_back = matches!(begin, Begin::Before(_));
    let key = begin.key();
    let (date, time) = key.map(Key::appointment).unzip();
    let offset = if let Begin::Behind(offset) = begin { offset } else { 0 };
    let search = filter.search.as_ref();
    // Every `case` is constant to the planner, which drops those that are null and finds an index for the one that is not.
    let found = sqlx::query!(
        r#"
        with numbers as materialized (
            select array(
                select id from customers where cardinality($11::text[]) > 0 and phone like any($11::text[])
            ) as customer_ids
        ), matching as not materialized (
            select id, appointment_date, appointment_time, created_at, total_paise
            from bookings
            where ($1::booking_status is null or booking_status = $1)
                and ($2::date is null or appointment_date = $2)
                and ($3::date is null or appointment_date >= $3)
                and ($4::date is null or appointment_date <= $4)
                and ($5::payment_status is null or payment_status = $5)
                and ($6::payment_method is null or payment_method = $6)
                and ($7::service_location is null or service_location = $7)
                and (
                    $8::text is null or customer_name ilike normalize($8, nfc) or customer_email ilike normalize($8, nfc)
                    or reference = $9 or id = $10
                    or customer_id = any((select customer_ids from numbers)::bigint[])
                )
        )
        select
            array(
                select id from matching
                where $16::bigint is null or case $12
                    when 'appointment_date' then (appointment_date, appointment_time) >= ($17, $18)
                        and ((appointment_date, appointment_time) > ($17, $18) or case when $21 then id > $16 else id < $16 end)
                    when '-appointment_date' then (appointment_date, appointment_time) <= ($17, $18)
                        and ((appointment_date, appointment_time) < ($17, $18) or case when $21 then id > $16 else id < $16 end)
                    when 'created_at' then created_at >= $19
                        and (created_at > $19 or case when $21 then id > $16 else id < $16 end)
                    when '-created_at' then created_at <= $19
                        and (created_at < $19 or case when $21 then id > $16 else id < $16 end)
                    when 'total_amount' then total_paise >= $20
                        and (total_paise > $20 or case when $21 then id > $16 else id < $16 end)
                    when '-total_amount' then total_paise <= $20
                        and (total_paise < $20 or case when $21 then id > $16 else id < $16 end)
                end
                order by
                    case when $12 = 'appointment_date' then appointment_date end,
                    case when $12 = 'appointment_date' then appointment_time end,
                    case when $12 = '-appointment_date' then appointment_date end desc,
                    case when $12 = '-appointment_date' then appointment_time end desc,
                    case when $12 = 'created_at' then created_at end,
                    case when $12 = '-created_at' then created_at end desc,
                    case when $12 = 'total_amount' then total_paise end,
                    case when $12 = '-total_amount' then total_paise end desc,
                    case when $21 then id end,
                    id desc
                limit $13 offset $14
            ) as "ids!",
            (select count(*) from (select from matching limit $15) as counted) as "count!"
        "#,
        filter.status as Option<BookingStatus>,
        filter.date,
        filter.date_from,
        filter.date_to,
        filter.payment_status as Option<PaymentStatus>,
        filter.payment_method as Option<PaymentMethod>,
        filter.service_location as Option<ServiceLocation>,
        search.map(|search| search.pattern.as_str()),
        search.and_then(|search| search.reference.as_deref()),
        search.and_then(|search| search.id),
        search.map(|search| search.phones.as_slice()).unwrap_or_default(),
        if is_back { ordering.reversed() } else { ordering }.as_str(),
        // One more tells whether a page follows.
        i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX),
        i64::try_from(offset).unwrap_or(i64::MAX),
        i64::try_from(HIGHEST_COUNT + 1).unwrap_or(i64::MAX),
        key.map(|key| key.id),
        date,
        time,
        key.map(Key::moment),
        key.map(Key::paise),
        is_back
    )
    .fetch_one(&mut *connection)
    .await?;
    let (mut ids, count) = (found.ids, usize::try_from(found.count).unwrap_or_default());
    let (has_previous, has_next) = begin.neighbours(ids.len() > limit);
    ids.truncate(limit);
    if is_back {
        ids.reverse();
    }
    let mut ends = None;
    select_bookings!(
        "booking.id = any($1) order by
            case when $2 then booking.appointment_date end,
            case when $2 then booking.appointment_time end,
            case when $2 then booking.id end desc,
            array_position($1, booking.id)",
        &ids,
        is_latest
    )
    .map(|booking| {
        let key = Key::of(&booking, ordering);
        ends = Some((ends.map_or(key, |(first, _)| first), key));
        each(booking);
    })
    .fetch_all(connection)
    .await?;
    let (first, last) = ends.unzip();
    Ok(Counted {
        count: count.min(HIGHEST_COUNT),
        is_capped: count > HIGHEST_COUNT,
        previous: first.filter(|_| has_previous).map(|key: Key| key.to_string()),
        next: last.filter(|_| has_next).map(|key: Key| key.to_string()),
    })
}

//! Search of bookings by status, day, payment, location and text.

use chrono::NaiveDate;
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::IntoParams;

use super::{
    Booking,
    status::{BookingStatus, PaymentStatus, ServiceLocation},
};
use crate::{
    database::Database,
    http::{Fields, Paging, Read},
    phone::Phone,
    select_bookings,
    written::Written,
};

/// Maximum number of bookings in one response.
pub const LONGEST_LIST: usize = 500;

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
    /// A part of the name or e-mail; or a whole phone number, in any spelling; or a whole reference.
    #[param(value_type = Option<String>, example = "98765 43210")]
    search: Option<Search>,
    #[param(inline)]
    payment_status: Option<PaymentStatus>,
    #[param(inline)]
    service_location: Option<ServiceLocation>,
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
            service_location: fields.value_if_any("service_location"),
        };
        if filter.date_from.zip(filter.date_to).is_some_and(|(from, to)| from > to) {
            fields.faults.add("date_to", "Ensure this date is not before date_from.");
        }
        Some(filter)
    }
}

/// The text that staff searched for, in each form it is matched in.
#[derive(Debug, PartialEq, Eq)]
struct Search {
    /// An `ilike` pattern that matches the text anywhere, with wildcards escaped.
    pattern: String,
    reference: String,
    phone: Option<String>,
}

impl Written for Search {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::of(text))
    }

    fn rules() -> Value {
        json!({})
    }
}

impl Search {
    fn of(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len() + 2);
        pattern.push('%');
        for character in text.chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        // The plus sign may be missing: unencoded it decodes to a space, and people omit it when typing.
        let phone: Option<Phone> = text.parse().or_else(|_| format!("+{text}").parse()).ok();
        Self { pattern, reference: text.to_uppercase(), phone: phone.map(|phone| phone.to_string()) }
    }
}

/// One page of bookings, ordered by appointment, newest first at the same time; and the number of matches if a page was
/// requested.
pub async fn find(database: &Database, filter: &Filter, paging: Option<Paging>) -> sqlx::Result<(Vec<Booking>, usize)> {
    // Page and count must be of one snapshot.
    database.planned_anew(async |connection| select(connection, filter, paging).await).await
}

/// Finds matching ids in the indexes alone where possible; reads whole rows for the page only.
async fn select(
    connection: &mut PgConnection,
    filter: &Filter,
    paging: Option<Paging>,
) -> sqlx::Result<(Vec<Booking>, usize)> {
    let (limit, offset) = paging.map_or((LONGEST_LIST, 0), |paging| (paging.page_size, paging.offset()));
    let search = filter.search.as_ref();
    let found = sqlx::query!(
        r#"
        with matching as not materialized (
            select id, appointment_date, appointment_time
            from bookings
            where ($1::booking_status is null or booking_status = $1)
                and ($2::date is null or appointment_date = $2)
                and ($3::date is null or appointment_date >= $3)
                and ($4::date is null or appointment_date <= $4)
                and ($5::payment_status is null or payment_status = $5)
                and ($6::service_location is null or service_location = $6)
                and (
                    $7::text is null or customer_name ilike $7 or customer_email ilike $7 or reference = $8
                    or customer_id = (select id from customers where phone = $9)
                )
        )
        select
            array(
                select id from matching order by appointment_date, appointment_time, id desc limit $10 offset $11
            ) as "ids!",
            case when $12 then (select count(*) from matching) else 0 end as "count!"
        "#,
        filter.status as Option<BookingStatus>,
        filter.date,
        filter.date_from,
        filter.date_to,
        filter.payment_status as Option<PaymentStatus>,
        filter.service_location as Option<ServiceLocation>,
        search.map(|search| search.pattern.as_str()),
        search.map(|search| search.reference.as_str()),
        search.and_then(|search| search.phone.as_deref()),
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(offset).unwrap_or(i64::MAX),
        paging.is_some()
    )
    .fetch_one(&mut *connection)
    .await?;
    let bookings = select_bookings!(
        "booking.id = any($1) order by booking.appointment_date, booking.appointment_time, booking.id desc",
        &found.ids
    )
    .fetch_all(connection)
    .await?;
    Ok((bookings, usize::try_from(found.count).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn search_text_is_escaped_and_matched_as_phone_or_reference() {
        for (text, pattern, phone) in [
            ("Rao", "%Rao%", None),
            (r"50%_\", r"%50\%\_\\%", None),
            ("098765-43210", "%098765-43210%", Some("+919876543210")),
            ("1234567890", "%1234567890%", Some("+1234567890")),
            ("98765", "%98765%", None),
        ] {
            let search = Search::of(text);
            assert_eq!((search.pattern.as_str(), search.phone.as_deref()), (pattern, phone));
        }
        assert_eq!(Search::of("rmb-7k3qx-9zd2a").reference, "RMB-7K3QX-9ZD2A");
    }
}

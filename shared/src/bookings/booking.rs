//! The booking as a database row and as an API object. A new column is added in two places: the struct and
//! [`select_bookings!`](crate::select_bookings).

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use utoipa::ToSchema;

use super::{
    masking,
    occupied::Occupied,
    slot_usage::Visit,
    status::{BookingSource, BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
};
use crate::{
    Error, Result,
    ids::{BookedServiceId, BookingId, CustomerId, ServiceId, VehicleModelId},
    logging::name_bookings,
    money::Money,
};

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
pub struct Booking {
    #[schema(value_type = i64)]
    pub id: BookingId,
    /// Short and unguessable, to be read out at the counter.
    #[schema(example = "RMB-7K3QX-9ZD2A")]
    pub reference: String,
    #[schema(value_type = Customer)]
    pub customer: Json<Customer>,
    #[schema(value_type = i64)]
    pub vehicle_model: VehicleModelId,
    pub vehicle_model_name: String,
    pub vehicle_brand_name: String,
    pub vehicle_type_name: String,
    pub service_location: ServiceLocation,
    pub address: String,
    pub appointment_date: NaiveDate,
    pub appointment_time: NaiveTime,
    /// Rupees with two places.
    #[schema(value_type = String, example = "750.10")]
    pub total_amount: Money,
    pub payment_method: PaymentMethod,
    pub payment_status: PaymentStatus,
    pub booking_status: BookingStatus,
    pub notes: String,
    /// The same as `notes`.
    pub customer_notes: String,
    /// Always empty: the shop sells no parts. Published apps read it.
    #[schema(value_type = Vec<i64>)]
    pub booking_parts: Json<Vec<i64>>,
    /// Always null: work is not given to one mechanic. Published apps read it, and the name.
    #[schema(required)]
    pub mechanic_id: Option<i64>,
    #[schema(required)]
    pub mechanic_name: Option<String>,
    /// Grows with each change: a form carries the one that it was opened with.
    pub version: i32,
    #[schema(value_type = Vec<BookedService>)]
    pub booking_services: Json<Vec<BookedService>>,
    #[serde(with = "crate::http::time")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::http::time")]
    pub updated_at: DateTime<Utc>,
    /// This field and those below are not part of the API.
    #[serde(skip)]
    #[schema(ignore)]
    pub duration_minutes: i32,
    #[serde(skip)]
    #[schema(ignore)]
    pub occupied_minutes: i32,
    /// For the shop's people.
    #[serde(skip)]
    #[schema(ignore)]
    pub internal_notes: String,
    #[serde(skip)]
    #[schema(ignore)]
    pub source: BookingSource,
    /// See [`super::unproved`].
    #[serde(skip)]
    #[schema(ignore)]
    pub is_unproved: bool,
    /// Cancelled because the customer did not come.
    #[serde(skip)]
    #[schema(ignore)]
    pub is_no_show: bool,
    #[serde(skip)]
    #[schema(ignore)]
    pub access_token_sha256: Vec<u8>,
    #[serde(skip)]
    #[schema(ignore)]
    pub access_token_is_expired: bool,
}

/// A booking as its caller may see it: what only concerns the shop's people is left out for all others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingDetail)]
pub struct Detail {
    #[serde(flatten)]
    pub booking: Booking,
    /// For staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_notes: Option<String>,
    /// For staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<BookingSource>,
}

impl Detail {
    pub fn for_staff(booking: Booking) -> Self {
        let (internal_notes, source) = (Some(booking.internal_notes.clone()), Some(booking.source));
        Self { booking, internal_notes, source }
    }

    pub fn for_customer(booking: Booking) -> Self {
        Self { booking, internal_notes: None, source: None }
    }
}

/// The customer. Name and e-mail are what was given with this booking.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    #[schema(value_type = i64)]
    pub id: CustomerId,
    pub name: String,
    /// E.164, or its last two digits.
    pub phone: String,
    #[schema(required)]
    pub email: Option<String>,
    #[serde(with = "crate::http::time")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::http::time")]
    pub updated_at: DateTime<Utc>,
}

/// A service of a booking, at the price it was booked for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BookedService {
    #[schema(value_type = i64)]
    pub id: BookedServiceId,
    #[schema(value_type = i64)]
    pub service: ServiceId,
    pub service_name: String,
    pub category_name: String,
    /// Rupees with two places.
    #[serde(deserialize_with = "paise")]
    #[schema(value_type = String, example = "750.10")]
    pub price: Money,
    #[serde(with = "crate::http::time")]
    pub created_at: DateTime<Utc>,
}

/// Selects [`Booking`]s. The filter ends the statement, so it may include `order by` or `for update`. Common table
/// expressions after `with` may shadow `bookings`, `booking_services` and `customers`, so that a statement can insert
/// rows and return them as bookings.
#[macro_export]
macro_rules! select_bookings {
    ($filter:literal $(, $argument:expr)* $(,)?) => {
        $crate::select_bookings!(with "", $filter $(, $argument)*)
    };
    (with $tables:literal, $filter:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::bookings::Booking,
            $tables + r#"
            select booking.id as "id!", booking.reference as "reference!",
                json_build_object(
                    'id', customer.id, 'name', booking.customer_name, 'phone', customer.phone,
                    'email', booking.customer_email, 'created_at', customer.created_at, 'updated_at', customer.updated_at
                ) as "customer!: _",
                model.id as vehicle_model, model.name as vehicle_model_name, brand.name as vehicle_brand_name,
                type.name as vehicle_type_name, booking.service_location::text as "service_location!: _",
                booking.address as "address!", booking.appointment_date as "appointment_date!",
                booking.appointment_time as "appointment_time!", booking.occupied_minutes as "occupied_minutes!",
                booking.duration_minutes as "duration_minutes!", booking.total_paise as "total_amount!",
                booking.payment_method::text as "payment_method!: _", booking.payment_status::text as "payment_status!: _",
                booking.booking_status::text as "booking_status!: _", booking.notes as "notes!",
                booking.notes as "customer_notes!", '[]'::json as "booking_parts!: _", null::bigint as mechanic_id,
                null::text as mechanic_name,
                booking.version as "version!", booking.internal_notes as "internal_notes!", booking.source::text as "source!: _",
                booking.is_no_show as "is_no_show!", booking.is_unproved as "is_unproved!", booking.access_token_sha256 as "access_token_sha256!",
                booking.access_token_expires_at <= now() as "access_token_is_expired!",
                (
                    select coalesce(json_agg(json_build_object(
                        'id', line.id, 'service', service.id, 'service_name', service.name,
                        'category_name', category.name, 'price', line.price_paise, 'created_at', line.created_at
                    ) order by line.id), '[]')
                    from booking_services line
                    join services service on service.id = line.service_id
                    join service_categories category on category.id = service.service_category_id
                    where line.booking_id = booking.id
                ) as "booking_services!: _",
                booking.created_at as "created_at!", booking.updated_at as "updated_at!"
            from bookings booking
            join customers customer on customer.id = booking.customer_id
            join vehicle_models model on model.id = booking.vehicle_model_id
            join vehicle_brands brand on brand.id = model.vehicle_brand_id
            join vehicle_types type on type.id = brand.vehicle_type_id
            where "# + $filter,
            $($argument),*
        )
    };
}

/// Finds a booking; 404 if it does not exist.
pub async fn find(executor: impl PgExecutor<'_>, id: BookingId) -> Result<Booking> {
    let booking = select_bookings!("booking.id = $1", id.0).fetch_optional(executor).await?;
    name_bookings([id]);
    booking.ok_or(Error::NotFound("Booking"))
}

/// Locks a booking for update; 404 if it does not exist.
pub async fn lock(connection: &mut PgConnection, id: BookingId) -> Result<Booking> {
    // Must be its own statement: in READ COMMITTED a statement that waited for a lock sees the locked row as it is now, and
    // its services as they were when it began.
    sqlx::query!("select from bookings where id = $1 for update", id.0).fetch_optional(&mut *connection).await?;
    find(connection, id).await
}

impl Booking {
    /// Masks personal data, and what tells that two bookings are one customer's; keys and types stay the same.
    #[must_use]
    pub fn masked(mut self) -> Self {
        let Json(customer) = &mut self.customer;
        customer.id = CustomerId(0);
        (customer.created_at, customer.updated_at) = (self.created_at, self.updated_at);
        customer.name = masking::initials(&customer.name);
        customer.phone = masking::phone(&customer.phone);
        customer.email = None;
        self.reference.clear();
        self.address.clear();
        self.notes.clear();
        self.customer_notes.clear();
        self
    }

    /// The booking's use of capacity.
    pub fn visit(&self) -> Visit {
        Visit {
            location: self.service_location,
            date: self.appointment_date,
            time: self.appointment_time,
            duration_minutes: u32::try_from(self.duration_minutes).unwrap_or_default(),
            occupied: Occupied::stored(self.appointment_time, self.occupied_minutes),
        }
    }
}

/// Prices are paise in the JSON that the query builds.
fn paise<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    i64::deserialize(deserializer).map(Money::from_paise)
}

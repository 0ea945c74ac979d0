//! A booking as the API shows it: whole to its owner, masked to a stranger.
#![expect(missing_docs, reason = "the fields are the contract's, where they are described")]

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;

use super::{
    masking,
    slot_usage::Job,
    status::{BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
};
use crate::money::Money;

/// A booking as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Booking)]
pub struct Detail {
    pub id: i64,
    /// Short and unguessable, to be read out at the counter.
    #[schema(example = "RMB-7K3QX-9ZD2A")]
    pub reference: String,
    pub customer: Customer,
    pub vehicle_model: i64,
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
    pub booking_services: Vec<BookedService>,
    #[serde(with = "crate::http::time")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::http::time")]
    pub updated_at: DateTime<Utc>,
}

/// Who booked. Name and e-mail are what was given with this booking.
#[derive(Debug, Serialize, ToSchema)]
pub struct Customer {
    pub id: i64,
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
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BookedService {
    pub id: i64,
    pub service: i64,
    pub service_name: String,
    pub category_name: String,
    /// Rupees with two places.
    #[schema(value_type = String, example = "750.10")]
    pub price: Money,
    #[serde(with = "crate::http::time")]
    pub created_at: DateTime<Utc>,
}

impl Detail {
    /// The same booking as a stranger may see it: the same keys and types, nothing about a person.
    #[must_use]
    pub fn masked(mut self) -> Self {
        self.customer.name = masking::initials(&self.customer.name);
        self.customer.phone = masking::phone(&self.customer.phone);
        self.customer.email = None;
        self.address.clear();
        self.notes.clear();
        self
    }
}

/// A booking as the database has it.
#[derive(Debug)]
pub struct Stored {
    pub id: i64,
    pub reference: String,
    pub customer_id: i64,
    pub customer_name: String,
    pub customer_phone: String,
    pub customer_email: Option<String>,
    pub customer_created_at: DateTime<Utc>,
    pub customer_updated_at: DateTime<Utc>,
    pub vehicle_model: i64,
    pub vehicle_model_name: String,
    pub vehicle_brand_name: String,
    pub vehicle_type_name: String,
    pub service_location: ServiceLocation,
    pub address: String,
    pub appointment_date: NaiveDate,
    pub appointment_time: NaiveTime,
    pub slot_times: Vec<NaiveTime>,
    pub duration_minutes: i32,
    pub total_amount: Money,
    pub payment_method: PaymentMethod,
    pub payment_status: PaymentStatus,
    pub booking_status: BookingStatus,
    pub notes: String,
    pub access_token_sha256: Vec<u8>,
    pub access_token_is_expired: bool,
    pub booking_services: Json<Vec<StoredService>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Stored {
    /// What it holds of the shop's capacity.
    pub fn job(&self) -> Job {
        Job {
            location: self.service_location,
            date: self.appointment_date,
            time: self.appointment_time,
            duration_minutes: u32::try_from(self.duration_minutes).unwrap_or_default(),
            slots: self.slot_times.clone(),
        }
    }
}

/// A line of a booking as the database has it.
#[derive(Debug, Deserialize)]
pub struct StoredService {
    id: i64,
    service: i64,
    service_name: String,
    category_name: String,
    price_paise: i64,
    created_at: DateTime<Utc>,
}

/// Selects bookings as [`Stored`](crate::bookings::detail::Stored); the filter and what follows it is added to the text.
#[macro_export]
macro_rules! select_bookings {
    ($filter:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::bookings::detail::Stored,
            r#"
            select booking.id, booking.reference, customer.id as customer_id, booking.customer_name,
                customer.phone as customer_phone, booking.customer_email,
                customer.created_at as customer_created_at, customer.updated_at as customer_updated_at,
                model.id as vehicle_model, model.name as vehicle_model_name, brand.name as vehicle_brand_name,
                type.name as vehicle_type_name, booking.service_location as "service_location: _", booking.address,
                booking.appointment_date, booking.appointment_time, booking.slot_times, booking.duration_minutes,
                booking.total_paise as total_amount, booking.payment_method as "payment_method: _",
                booking.payment_status as "payment_status: _", booking.booking_status as "booking_status: _",
                booking.notes, booking.access_token_sha256,
                booking.access_token_expires_at <= now() as "access_token_is_expired!",
                (
                    select coalesce(json_agg(json_build_object(
                        'id', line.id, 'service', service.id, 'service_name', service.name,
                        'category_name', category.name, 'price_paise', line.price_paise, 'created_at', line.created_at
                    ) order by line.id), '[]')
                    from booking_services line
                    join services service on service.id = line.service_id
                    join service_categories category on category.id = service.service_category_id
                    where line.booking_id = booking.id
                ) as "booking_services!: _",
                booking.created_at, booking.updated_at
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
impl From<Stored> for Detail {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            reference: stored.reference,
            customer: Customer {
                id: stored.customer_id,
                name: stored.customer_name,
                phone: stored.customer_phone,
                email: stored.customer_email,
                created_at: stored.customer_created_at,
                updated_at: stored.customer_updated_at,
            },
            vehicle_model: stored.vehicle_model,
            vehicle_model_name: stored.vehicle_model_name,
            vehicle_brand_name: stored.vehicle_brand_name,
            vehicle_type_name: stored.vehicle_type_name,
            service_location: stored.service_location,
            address: stored.address,
            appointment_date: stored.appointment_date,
            appointment_time: stored.appointment_time,
            total_amount: stored.total_amount,
            payment_method: stored.payment_method,
            payment_status: stored.payment_status,
            booking_status: stored.booking_status,
            notes: stored.notes,
            booking_services: stored.booking_services.0.into_iter().map(BookedService::from).collect(),
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        }
    }
}

impl From<StoredService> for BookedService {
    fn from(stored: StoredService) -> Self {
        Self {
            id: stored.id,
            service: stored.service,
            service_name: stored.service_name,
            category_name: stored.category_name,
            price: Money::from_paise(stored.price_paise),
            created_at: stored.created_at,
        }
    }
}

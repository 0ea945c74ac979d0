//! The data that a booking is validated against, loaded in one round trip.

use std::collections::HashMap;

use chrono::{Days, NaiveDate, NaiveDateTime};
use serde::Deserialize;
use sqlx::{PgExecutor, types::Json};

use super::{
    appointment::{OpenDay, Window},
    slot_usage::Usage,
    status::ServiceLocation,
};
use crate::{
    Error, Result,
    day_minute::DayMinute,
    ids::{ServiceId, VehicleModelId},
};

/// The shop's rules, its open days, and its services and prices for a model.
#[derive(Debug)]
pub struct Facts {
    pub window: Window,
    /// Open days within the requested range.
    pub days: HashMap<NaiveDate, OpenDay>,
    /// `None` if no model was requested, or it does not exist or is archived.
    pub model: Option<Model>,
    /// Requested services that exist and are not archived.
    pub services: Vec<Service>,
    /// What is taken of the requested pool.
    pub usage: Usage,
    shop_capacity: i32,
    home_capacity: i32,
}

impl Facts {
    /// Jobs per slot in this pool.
    pub fn capacity(&self, pool: ServiceLocation) -> i32 {
        match pool {
            ServiceLocation::Home => self.home_capacity,
            ServiceLocation::Shop => self.shop_capacity,
        }
    }
}

/// A vehicle model with the names of its brand and type.
#[derive(Clone, Debug, Deserialize)]
pub struct Model {
    pub id: VehicleModelId,
    /// Without the brand.
    pub name: String,
    pub brand: String,
    pub vehicle_type: String,
}

/// A service and its price for the requested model.
#[derive(Clone, Debug, Deserialize)]
pub struct Service {
    pub id: ServiceId,
    pub name: String,
    pub category: String,
    pub duration_minutes: u32,
    /// `None` if the service is not offered for the model.
    pub price_paise: Option<i64>,
}

/// The days, model, services and pool to load facts for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub from: NaiveDate,
    /// Inclusive.
    pub to: NaiveDate,
    pub model: Option<VehicleModelId>,
    pub services: &'a [ServiceId],
    /// The pool to load the usage of. A booking needs none: the database decides whether it has room.
    pub pool: Option<ServiceLocation>,
}

impl Question<'_> {
    /// One day, without model, services or pool.
    pub const fn day(date: NaiveDate) -> Self {
        Self { from: date, to: date, model: None, services: &[], pool: None }
    }
}

/// Loads the facts; 404 while no shop has been imported.
///
/// Values stand in `select`s where Postgres would plan for them: by its estimate a plan of their own is so much better that
/// it would make one for each request, which takes longer than the statement.
pub async fn load(executor: impl PgExecutor<'_>, question: Question<'_>) -> Result<Facts> {
    let row = sqlx::query!(
        r#"
        select now() at time zone shop.time_zone as "now!: NaiveDateTime",
            (now() + make_interval(mins => shop.minimum_notice_minutes)) at time zone shop.time_zone
                as "earliest!: NaiveDateTime",
            shop.minimum_notice_minutes, shop.booking_horizon_days, shop.shop_capacity, shop.home_capacity,
            (
                select coalesce(json_agg(json_build_object(
                    'date', day::date, 'opens_at', hours.opens_at, 'closes_at', hours.closes_at,
                    'slot_minutes', shop.slot_minutes
                )), '[]')
                from generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') as day
                join opening_hours hours on hours.shop_id = shop.id and hours.weekday = extract(isodow from day)
                where not exists (select from holidays where holidays.shop_id = shop.id and holidays.date = day::date)
            ) as "days!: Json<Vec<OpenDay>>",
            (
                select json_build_object(
                    'id', model.id, 'name', model.name, 'brand', brand.name, 'vehicle_type', type.name
                )
                from vehicle_models model
                join vehicle_brands brand on brand.id = model.vehicle_brand_id
                join vehicle_types type on type.id = brand.vehicle_type_id
                where model.id = $3
                    and model.archived_at is null and brand.archived_at is null and type.archived_at is null
            ) as "model: Json<Model>",
            (
                select coalesce(json_agg(json_build_object(
                    'id', service.id, 'name', service.name, 'category', category.name,
                    'duration_minutes', service.duration_minutes, 'price_paise', price.price_paise
                )), '[]')
                from services service
                join service_categories category on category.id = service.service_category_id
                left join service_prices price on price.service_id = service.id and price.vehicle_model_id = $3
                where service.id = any ((select $4)::bigint[]) and service.archived_at is null and category.archived_at is null
            ) as "services!: Json<Vec<Service>>",
            (
                select coalesce(json_agg(json_build_array(date, time, used)), '[]')
                from slot_usage
                where pool = $5::text::service_location and date between (select $1::date) and (select $2::date)
            ) as "usage!: Json<Vec<(NaiveDate, DayMinute, i32)>>"
        from shops shop
        where shop.id = shop_id()
        "#,
        question.from,
        question.to,
        question.model as Option<VehicleModelId>,
        question.services as &[ServiceId],
        question.pool.map(ServiceLocation::as_str)
    )
    .fetch_optional(executor)
    .await?
    .ok_or(Error::NotFound("Shop"))?;
    Ok(Facts {
        window: Window {
            now: row.now,
            earliest: row.earliest,
            minimum_notice_minutes: row.minimum_notice_minutes,
            booking_horizon_days: row.booking_horizon_days,
        },
        days: row.days.0.into_iter().map(|day| (day.date, day)).collect(),
        model: row.model.map(|model| model.0),
        services: row.services.0,
        usage: row.usage.0.into_iter().map(|(date, quarter, used)| ((date, quarter), used)).collect(),
        shop_capacity: row.shop_capacity,
        home_capacity: row.home_capacity,
    })
}

/// The range of days to search for free slots near a date.
pub fn around(date: NaiveDate) -> (NaiveDate, NaiveDate) {
    let before = date.checked_sub_days(Days::new(3)).unwrap_or(date);
    let after = date.checked_add_days(Days::new(10)).unwrap_or(date);
    (before, after)
}

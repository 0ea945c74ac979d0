//! What the database knows that a booking must obey, in one round trip.

use std::collections::HashMap;

use chrono::{Days, NaiveDate, NaiveDateTime};
use serde::Deserialize;
use sqlx::{PgExecutor, types::Json};

use super::{
    appointment::{OpenDay, Window},
    status::ServiceLocation,
};
use crate::{Error, Result};

/// The shop's rules, its open days, and what it offers for a model.
#[derive(Debug)]
pub struct Facts {
    /// From when until when bookings are taken.
    pub window: Window,
    /// The open ones of the days that were asked for.
    pub days: HashMap<NaiveDate, OpenDay>,
    /// The model that was asked for, if there is one.
    pub model: Option<Model>,
    /// Those of the services that were asked for which are on offer at all.
    pub services: Vec<Service>,
    shop_capacity: i32,
    home_capacity: i32,
}

impl Facts {
    /// How many jobs one slot of this pool takes.
    pub fn capacity(&self, pool: ServiceLocation) -> i32 {
        match pool {
            ServiceLocation::Home => self.home_capacity,
            ServiceLocation::Shop => self.shop_capacity,
        }
    }
}

/// A model by its names.
#[derive(Clone, Debug, Deserialize)]
pub struct Model {
    /// Its id.
    pub id: i64,
    /// Its name, without the brand.
    pub name: String,
    /// The brand's name.
    pub brand: String,
    /// The vehicle type's name.
    pub vehicle_type: String,
}

/// A service, and its price for the model that was asked for.
#[derive(Clone, Debug, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its category's name.
    pub category: String,
    /// How long it takes.
    pub duration_minutes: u32,
    /// `None` if it is not offered for the model.
    pub price_paise: Option<i64>,
}

/// Which days, and what for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// The model, if any.
    pub model: Option<i64>,
    /// The services, if any.
    pub services: &'a [i64],
}

impl Question<'_> {
    /// One day, without model or services.
    pub const fn day(date: NaiveDate) -> Self {
        Self { from: date, to: date, model: None, services: &[] }
    }
}

/// Loads the facts; 404 while no shop has been imported.
pub async fn load(executor: impl PgExecutor<'_>, question: Question<'_>) -> Result<Facts> {
    let row = sqlx::query!(
        r#"
        select now() at time zone shop.time_zone as "now!: NaiveDateTime",
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
                where service.id = any ($4) and service.archived_at is null and category.archived_at is null
            ) as "services!: Json<Vec<Service>>"
        from shops shop
        where shop.id = shop_id()
        "#,
        question.from,
        question.to,
        question.model,
        question.services
    )
    .fetch_optional(executor)
    .await?
    .ok_or(Error::NotFound("Shop"))?;
    Ok(Facts {
        window: Window {
            now: row.now,
            minimum_notice_minutes: row.minimum_notice_minutes,
            booking_horizon_days: row.booking_horizon_days,
        },
        days: row.days.0.into_iter().map(|day| (day.date, day)).collect(),
        model: row.model.map(|model| model.0),
        services: row.services.0,
        shop_capacity: row.shop_capacity,
        home_capacity: row.home_capacity,
    })
}

/// The days around one: a few before it, more after it.
pub fn around(date: NaiveDate) -> (NaiveDate, NaiveDate) {
    let before = date.checked_sub_days(Days::new(3)).unwrap_or(date);
    let after = date.checked_add_days(Days::new(10)).unwrap_or(date);
    (before, after)
}

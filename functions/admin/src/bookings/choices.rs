//! What the form of a new booking is filled in with: the customer by number, the models, the services of one.

use chrono::{NaiveDate, NaiveDateTime};
use serde::Deserialize;
use shared::{
    Result,
    database::Database,
    ids::{CustomerId, ServiceId, VehicleModelId},
    phone::Phone,
};
use sqlx::types::Json;

use crate::kit::form::Form;

/// What is known by the number.
#[derive(Debug, Deserialize)]
pub(super) struct Known {
    pub(super) id: CustomerId,
    pub(super) notes: String,
    /// As given with the last booking.
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) last_visit: NaiveDate,
    pub(super) models: Vec<String>,
}

/// A service of the chosen model.
#[derive(Debug, Deserialize)]
pub(super) struct Offered {
    pub(super) id: ServiceId,
    pub(super) name: String,
    pub(super) price: i64,
    pub(super) minutes: i32,
}

/// What the form is filled in with.
pub(super) struct Choices {
    pub(super) now: NaiveDateTime,
    pub(super) known: Option<Known>,
    pub(super) model: Option<VehicleModelId>,
    pub(super) services: Vec<Offered>,
    pub(super) models: Vec<String>,
}

/// Loads all of it in one statement, by what the form has so far.
pub(super) async fn choices(database: &Database, form: &Form) -> Result<Choices> {
    let phone: Option<Phone> = form.value("customer_phone").parse().ok();
    let found = sqlx::query!(
        r#"
        with customer as (
            select id, notes from customers where phone = $1
        ), bikes as (
            select booking.customer_id, booking.vehicle_model_id, max(booking.appointment_date) as last
            from bookings booking join customer on customer.id = booking.customer_id
            group by 1, 2
        ), known as (
            select customer.id, customer.notes, newest.customer_name as name, newest.customer_email as email,
                (select max(last) from bikes) as last_visit,
                (
                    select json_agg(brand.name || ' ' || model.name order by bikes.last desc)
                    from bikes
                    join vehicle_models model on model.id = bikes.vehicle_model_id and model.archived_at is null
                    join vehicle_brands brand on brand.id = model.vehicle_brand_id
                ) as models
            from customer
            cross join lateral (
                select customer_name, customer_email from bookings
                where customer_id = customer.id order by id desc limit 1
            ) as newest
        ), offered as (
            select model.id, brand.name || ' ' || model.name as name
            from vehicle_models model
            join vehicle_brands brand on brand.id = model.vehicle_brand_id
            join vehicle_types type on type.id = brand.vehicle_type_id
            where model.archived_at is null and brand.archived_at is null and type.archived_at is null
        ), chosen as (
            select id from offered
            where lower(name) = lower(trim(coalesce(
                nullif($2, ''), (select models ->> 0 from known where json_array_length(models) = 1)
            )))
        )
        select shop_clock(now()) as "now!",
            (
                select json_build_object('id', id, 'notes', notes, 'name', name, 'email', email, 'last_visit', last_visit,
                    'models', coalesce(models, '[]'))
                from known
            ) as "known: Json<Known>",
            (select min(id) from chosen) as model,
            (
                select coalesce(json_agg(json_build_object(
                    'id', service.id, 'name', service.name, 'price', price.price_paise, 'minutes', service.duration_minutes
                ) order by lower(category.name), lower(service.name)), '[]')
                from service_prices price
                join services service on service.id = price.service_id and service.archived_at is null
                join service_categories category
                    on category.id = service.service_category_id and category.archived_at is null
                where price.vehicle_model_id = (select min(id) from chosen)
            ) as "services!: Json<Vec<Offered>>",
            (select coalesce(json_agg(name order by lower(name)), '[]') from offered) as "models!: Json<Vec<String>>"
        "#,
        phone.as_ref().map(Phone::as_str),
        // No model has a NUL in its name, and Postgres takes none.
        form.value("model").replace('\0', "\u{fffd}")
    )
    .fetch_one(&database.pool())
    .await?;
    Ok(Choices {
        now: found.now,
        known: found.known.map(|known| known.0),
        model: found.model.map(VehicleModelId),
        services: found.services.0,
        models: found.models.0,
    })
}

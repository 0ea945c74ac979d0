//! Prices of the services for a vehicle model.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Result,
    cache::{Asked, Cache, HALF_HOUR},
    http::{ErrorBody, Fields, Paged, Paging, Read, Routes, routes},
    ids::{ServiceCategoryId, ServiceId, ServicePriceId, VehicleModelId},
    money::Money,
};
use utoipa::{IntoParams, ToSchema};

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(by_vehicle)
}

/// The price of a service for a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServicePrice)]
struct Price {
    #[schema(value_type = i64)]
    id: ServicePriceId,
    #[schema(value_type = i64)]
    service_id: ServiceId,
    service_name: String,
    #[schema(value_type = i64)]
    category_id: ServiceCategoryId,
    category_name: String,
    description: String,
    duration_minutes: i32,
    #[schema(value_type = i64)]
    vehicle_model: VehicleModelId,
    /// Rupees, with two places.
    #[schema(value_type = String, example = "559.00")]
    price: Money,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfModel {
    /// The id of a model. One that does not exist has no prices.
    #[param(value_type = i64)]
    vehicle_model_id: VehicleModelId,
}

impl Read for OfModel {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { vehicle_model_id: fields.id("vehicle_model_id")? })
    }
}

/// Lists the services that are offered for a model, with their prices.
///
/// A service without a price for the model is not offered for it.
#[utoipa::path(
    get, path = "/service-pricing/by-vehicle", operation_id = "list_service_prices", tag = "Catalogue",
    params(OfModel, Paging),
    responses((status = 200, body = Paged<Price>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn by_vehicle(State(cache): State<Cache>, asked: Asked<OfModel>) -> Result<Response> {
    let vehicle_model_id = asked.filter.vehicle_model_id;
    let key = format!("service-pricing?{vehicle_model_id}");
    cache
        .list_below(asked, &key, HALF_HOUR, "Service pricing retrieved successfully", async |pool| {
            let prices = sqlx::query_as!(
                Price,
                r#"
                select price.id, service.id as service_id, service.name as service_name, category.id as category_id,
                    category.name as category_name, service.description, service.duration_minutes,
                    price.vehicle_model_id as vehicle_model, price.price_paise as price,
                    price.created_at, price.updated_at
                from service_prices price
                join services service on service.id = price.service_id
                join service_categories category on category.id = service.service_category_id
                join vehicle_models model on model.id = price.vehicle_model_id
                where price.vehicle_model_id = $1
                    and service.archived_at is null and category.archived_at is null and model.archived_at is null
                order by category.id, service.id
                "#,
                vehicle_model_id.0
            )
            .fetch_all(&pool)
            .await?;
            let is_known = !prices.is_empty()
                || sqlx::query_scalar!(
                    r#"select exists (select from vehicle_models where id = $1) as "exists!""#,
                    vehicle_model_id.0
                )
                .fetch_one(&pool)
                .await?;
            Ok(is_known.then_some(prices))
        })
        .await
}

//! Vehicle models. Services are priced per model.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Result,
    cache::{Asked, Cache, HOUR},
    http::{Envelope, ErrorBody, Fields, Id, Paged, Paging, Read, Routes, routes},
    ids::{VehicleBrandId, VehicleModelId},
};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

use crate::{App, brands};

pub(crate) fn routes() -> Routes<App> {
    routes!(list, show)
}

/// A model of a brand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VehicleModel)]
struct Model {
    #[schema(value_type = i64)]
    id: VehicleModelId,
    #[schema(value_type = i64)]
    vehicle_brand: VehicleBrandId,
    brand_name: String,
    vehicle_type_name: String,
    name: String,
    /// An https URL.
    #[schema(required)]
    image: Option<String>,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfBrand {
    /// The id of a brand. One that does not exist has no models.
    #[param(value_type = i64)]
    vehicle_brand: VehicleBrandId,
}

impl Read for OfBrand {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { vehicle_brand: fields.id("vehicle_brand")? })
    }
}

/// Lists the models of a brand.
///
/// Those on offer, by id.
#[utoipa::path(
    get, path = "/vehicle-models", operation_id = "list_vehicle_models", tag = "Catalogue", params(OfBrand, Paging),
    responses((status = 200, body = Paged<Model>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn list(State(cache): State<Cache>, asked: Asked<OfBrand>) -> Result<Response> {
    let vehicle_brand = asked.filter.vehicle_brand;
    let key = format!("vehicle-models?{vehicle_brand}");
    cache
        .list_below(asked, &key, HOUR, "Vehicle models retrieved successfully", async |pool| {
            let models = select(&pool, None, Some(vehicle_brand)).await?;
            let is_known = !models.is_empty() || brands::exists(&pool, vehicle_brand).await?;
            Ok(is_known.then_some(models))
        })
        .await
}

/// Shows a model.
///
/// 404 if it is not on offer.
#[utoipa::path(
    get, path = "/vehicle-models/{id}", operation_id = "show_vehicle_model", tag = "Catalogue",
    params(("id" = i64, Path)),
    responses((status = 200, body = Envelope<Model>), (status = 304), (status = 404, body = ErrorBody))
)]
async fn show(State(cache): State<Cache>, Id(id): Id<VehicleModelId>, asked: Asked) -> Result<Response> {
    let (name, message) = ("Vehicle model", "Vehicle model retrieved successfully");
    cache
        .item(asked, &format!("vehicle-models/{id}"), HOUR, (name, message), async |pool| {
            Ok(select(&pool, Some(id), None).await?.pop())
        })
        .await
}

/// The models on offer with this id, or of this brand.
async fn select(
    pool: &PgPool,
    id: Option<VehicleModelId>,
    vehicle_brand: Option<VehicleBrandId>,
) -> sqlx::Result<Vec<Model>> {
    sqlx::query_as!(
        Model,
        "
        select model.id, model.vehicle_brand_id as vehicle_brand, brand.name as brand_name,
            type.name as vehicle_type_name, model.name, model.image, model.created_at, model.updated_at
        from vehicle_models model
        join vehicle_brands brand on brand.id = model.vehicle_brand_id
        join vehicle_types type on type.id = brand.vehicle_type_id
        where model.archived_at is null and brand.archived_at is null and type.archived_at is null
            and ($1::bigint is null or model.id = $1) and ($2::bigint is null or model.vehicle_brand_id = $2)
        order by model.id
        ",
        id as Option<VehicleModelId>,
        vehicle_brand as Option<VehicleBrandId>
    )
    .fetch_all(pool)
    .await
}

//! Vehicle brands, one per vehicle type: a maker of scooters and motorcycles has two.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Result,
    cache::{Asked, Cache, HOUR},
    http::{Envelope, ErrorBody, Fields, Id, Paged, Paging, Read, Routes, routes},
    ids::{VehicleBrandId, VehicleTypeId},
};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

use crate::{App, types};

pub(crate) fn routes() -> Routes<App> {
    routes!(list, show)
}

/// A brand of one vehicle type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VehicleBrand)]
struct Brand {
    #[schema(value_type = i64)]
    id: VehicleBrandId,
    #[schema(value_type = i64)]
    vehicle_type: VehicleTypeId,
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
struct OfType {
    /// The id of a vehicle type. One that does not exist has no brands.
    #[param(value_type = i64)]
    vehicle_type: VehicleTypeId,
}

impl Read for OfType {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { vehicle_type: fields.id("vehicle_type")? })
    }
}

/// Lists the brands of a vehicle type.
///
/// Those on offer, by id.
#[utoipa::path(
    get, path = "/vehicle-brands", operation_id = "list_vehicle_brands", tag = "Catalogue", params(OfType, Paging),
    responses((status = 200, body = Paged<Brand>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn list(State(cache): State<Cache>, asked: Asked<OfType>) -> Result<Response> {
    let vehicle_type = asked.filter.vehicle_type;
    let key = format!("vehicle-brands?{vehicle_type}");
    cache
        .list_below(asked, &key, HOUR, "Vehicle brands retrieved successfully", async |pool| {
            let brands = select(&pool, None, Some(vehicle_type)).await?;
            let is_known = !brands.is_empty() || types::exists(&pool, vehicle_type).await?;
            Ok(is_known.then_some(brands))
        })
        .await
}

/// Shows a brand.
///
/// 404 if it is not on offer.
#[utoipa::path(
    get, path = "/vehicle-brands/{id}", operation_id = "show_vehicle_brand", tag = "Catalogue",
    params(("id" = i64, Path)),
    responses((status = 200, body = Envelope<Brand>), (status = 304), (status = 404, body = ErrorBody))
)]
async fn show(State(cache): State<Cache>, Id(id): Id<VehicleBrandId>, asked: Asked) -> Result<Response> {
    let (name, message) = ("Vehicle brand", "Vehicle brand retrieved successfully");
    cache
        .item(asked, &format!("vehicle-brands/{id}"), HOUR, (name, message), async |pool| {
            Ok(select(&pool, Some(id), None).await?.pop())
        })
        .await
}

/// The brands on offer with this id, or of this type.
async fn select(
    pool: &PgPool,
    id: Option<VehicleBrandId>,
    vehicle_type: Option<VehicleTypeId>,
) -> sqlx::Result<Vec<Brand>> {
    sqlx::query_as!(
        Brand,
        "
        select brand.id, brand.vehicle_type_id as vehicle_type, type.name as vehicle_type_name, brand.name, brand.image,
            brand.created_at, brand.updated_at
        from vehicle_brands brand
        join vehicle_types type on type.id = brand.vehicle_type_id
        where brand.archived_at is null and type.archived_at is null
            and ($1::bigint is null or brand.id = $1) and ($2::bigint is null or brand.vehicle_type_id = $2)
        order by brand.id
        ",
        id as Option<VehicleBrandId>,
        vehicle_type as Option<VehicleTypeId>
    )
    .fetch_all(pool)
    .await
}

/// Whether there is one with this id, also if it is not on offer.
pub(crate) async fn exists(pool: &PgPool, id: VehicleBrandId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from vehicle_brands where id = $1) as "exists!""#, id.0)
        .fetch_one(pool)
        .await
}

//! Vehicle types: scooter, motorcycle.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Result,
    cache::{Asked, Cache, HOUR},
    http::{Envelope, ErrorBody, Id, Paged, Paging, Routes, routes},
    ids::VehicleTypeId,
};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(list, show)
}

/// A vehicle type.
#[derive(Debug, Serialize, ToSchema)]
struct VehicleType {
    #[schema(value_type = i64)]
    id: VehicleTypeId,
    name: String,
    /// An https URL.
    #[schema(required)]
    image: Option<String>,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
}

/// Lists the vehicle types.
///
/// Those on offer, by id.
#[utoipa::path(
    get, path = "/vehicle-types", operation_id = "list_vehicle_types", tag = "Catalogue", params(Paging),
    responses((status = 200, body = Paged<VehicleType>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn list(State(cache): State<Cache>, asked: Asked) -> Result<Response> {
    let message = "Vehicle types retrieved successfully";
    cache.list(asked, "vehicle-types", HOUR, message, async |pool| select(&pool, None).await).await
}

/// Shows a vehicle type.
///
/// 404 if it is not on offer.
#[utoipa::path(
    get, path = "/vehicle-types/{id}", operation_id = "show_vehicle_type", tag = "Catalogue",
    params(("id" = i64, Path)),
    responses((status = 200, body = Envelope<VehicleType>), (status = 304), (status = 404, body = ErrorBody))
)]
async fn show(State(cache): State<Cache>, Id(id): Id<VehicleTypeId>, asked: Asked) -> Result<Response> {
    let (name, message) = ("Vehicle type", "Vehicle type retrieved successfully");
    cache
        .item(asked, &format!("vehicle-types/{id}"), HOUR, (name, message), async |pool| {
            Ok(select(&pool, Some(id)).await?.pop())
        })
        .await
}

/// All types on offer, or the one with this id.
async fn select(pool: &PgPool, id: Option<VehicleTypeId>) -> sqlx::Result<Vec<VehicleType>> {
    sqlx::query_as!(
        VehicleType,
        "
        select id, name, image, created_at, updated_at
        from vehicle_types
        where archived_at is null and ($1::bigint is null or id = $1)
        order by id
        ",
        id as Option<VehicleTypeId>
    )
    .fetch_all(pool)
    .await
}

/// Whether there is one with this id, also if it is not on offer.
pub(crate) async fn exists(pool: &PgPool, id: VehicleTypeId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from vehicle_types where id = $1) as "exists!""#, id.0)
        .fetch_one(pool)
        .await
}

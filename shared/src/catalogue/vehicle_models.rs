//! Models of a brand.

use std::ops::RangeInclusive;

use sqlx::PgConnection;

use super::{archive::archivable, refused};
use crate::{
    Error, Result,
    ids::{VehicleBrandId, VehicleModelId},
};

/// What a model runs on.
pub const FUELS: [&str; 2] = ["petrol", "electric"];
/// Sizes of engines in cubic centimetres.
pub const ENGINE_CC: RangeInclusive<i32> = 1..=10_000;

/// The writable columns of a vehicle model.
#[derive(Clone, Debug)]
pub struct VehicleModel {
    pub vehicle_brand_id: VehicleBrandId,
    /// Unique within its brand.
    pub name: String,
    pub engine_cc: Option<i32>,
    /// One of [`FUELS`].
    pub fuel: String,
    /// An https URL.
    pub image: Option<String>,
}

/// Adds a vehicle model and returns its id; 409 on `name` if the name is taken.
pub async fn add(connection: &mut PgConnection, row: &VehicleModel) -> Result<VehicleModelId> {
    sqlx::query_scalar!(
        "insert into vehicle_models (vehicle_brand_id, name, engine_cc, fuel, image) values ($1, $2, $3, $4, $5) returning id",
        row.vehicle_brand_id.0,
        row.name,
        row.engine_cc,
        row.fuel,
        row.image.as_deref()
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
    .map(VehicleModelId)
}

/// Updates a vehicle model; `false` if nothing differs, 404 if it does not exist.
pub async fn rewrite(connection: &mut PgConnection, id: VehicleModelId, row: &VehicleModel) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"
        with present as (
            select id, (vehicle_brand_id, name, engine_cc, fuel, image) is distinct from ($2, $3, $4, $5, $6) as differs
            from vehicle_models where id = $1 for no key update
        ), written as (
            update vehicle_models set vehicle_brand_id = $2, name = $3, engine_cc = $4, fuel = $5, image = $6, updated_at = now()
            from present where vehicle_models.id = present.id and present.differs
        )
        select differs as "differs!" from present
        "#,
        id.0,
        row.vehicle_brand_id.0,
        row.name,
        row.engine_cc,
        row.fuel,
        row.image.as_deref()
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Vehicle model"))
}

archivable!("vehicle_models", "Vehicle model", VehicleModelId);

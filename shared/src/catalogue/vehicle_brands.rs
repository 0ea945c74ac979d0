//! Brands of a vehicle type.

use sqlx::PgConnection;

use super::{archive::archivable, refused};
use crate::{
    Error, Result,
    ids::{VehicleBrandId, VehicleTypeId},
};

/// The writable columns of a vehicle brand.
#[derive(Clone, Debug)]
pub struct VehicleBrand {
    pub vehicle_type_id: VehicleTypeId,
    /// Unique within its type.
    pub name: String,
    /// An https URL.
    pub image: Option<String>,
}

/// Adds a vehicle brand and returns its id; 409 on `name` if the name is taken.
pub async fn add(connection: &mut PgConnection, row: &VehicleBrand) -> Result<VehicleBrandId> {
    sqlx::query_scalar!(
        "insert into vehicle_brands (vehicle_type_id, name, image) values ($1, $2, $3) returning id",
        row.vehicle_type_id.0,
        row.name,
        row.image.as_deref()
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
    .map(VehicleBrandId)
}

/// Updates a vehicle brand; `false` if nothing differs, 404 if it does not exist.
pub async fn rewrite(connection: &mut PgConnection, id: VehicleBrandId, row: &VehicleBrand) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"
        with present as (
            select id, (vehicle_type_id, name, image) is distinct from ($2, $3, $4) as differs
            from vehicle_brands where id = $1 for no key update
        ), written as (
            update vehicle_brands set vehicle_type_id = $2, name = $3, image = $4, updated_at = now()
            from present where vehicle_brands.id = present.id and present.differs
        )
        select differs as "differs!" from present
        "#,
        id.0,
        row.vehicle_type_id.0,
        row.name,
        row.image.as_deref()
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Vehicle brand"))
}

archivable!("vehicle_brands", "Vehicle brand", VehicleBrandId);

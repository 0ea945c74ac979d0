//! Vehicle types: scooter, motorcycle.

use sqlx::PgConnection;

use super::{archive::archivable, refused};
use crate::{Error, Result, ids::VehicleTypeId};

/// The writable columns of a vehicle type.
#[derive(Clone, Debug)]
pub struct VehicleType {
    pub name: String,
    pub slug: String,
    /// An https URL.
    pub image: Option<String>,
}

/// Adds a vehicle type and returns its id; 409 on `name` if the name is taken.
pub async fn add(connection: &mut PgConnection, row: &VehicleType) -> Result<VehicleTypeId> {
    sqlx::query_scalar!(
        "insert into vehicle_types (name, slug, image) values ($1, $2, $3) returning id",
        row.name,
        row.slug,
        row.image.as_deref()
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
    .map(VehicleTypeId)
}

/// Updates a vehicle type; `false` if nothing differs, 404 if it does not exist.
pub async fn rewrite(connection: &mut PgConnection, id: VehicleTypeId, row: &VehicleType) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"
        with present as (
            select id, (name, slug, image) is distinct from ($2, $3, $4) as differs
            from vehicle_types where id = $1 for no key update
        ), written as (
            update vehicle_types set name = $2, slug = $3, image = $4, updated_at = now()
            from present where vehicle_types.id = present.id and present.differs
        )
        select differs as "differs!" from present
        "#,
        id.0,
        row.name,
        row.slug,
        row.image.as_deref()
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Vehicle type"))
}

archivable!("vehicle_types", "Vehicle type", VehicleTypeId);

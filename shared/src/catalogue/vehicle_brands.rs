//! Brands of a vehicle type.

use sqlx::PgConnection;

use super::refused;
use crate::{Error, Result};

/// A vehicle brand, as it is written.
#[derive(Clone, Debug)]
pub struct VehicleBrand {
    pub vehicle_type_id: i64,
    /// Unique within its type.
    pub name: String,
    /// An https URL.
    pub image: Option<String>,
}

/// Adds a vehicle brand; its id. 409 under `name` if the name is taken.
pub async fn add(connection: &mut PgConnection, row: &VehicleBrand) -> Result<i64> {
    sqlx::query_scalar!(
        "insert into vehicle_brands (vehicle_type_id, name, image) values ($1, $2, $3) returning id",
        row.vehicle_type_id,
        row.name,
        row.image.as_deref()
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
}

/// Rewrites a vehicle brand; `false` if nothing differs. 404 if there is none.
pub async fn rewrite(connection: &mut PgConnection, id: i64, row: &VehicleBrand) -> Result<bool> {
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
        id,
        row.vehicle_type_id,
        row.name,
        row.image.as_deref()
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Vehicle brand"))
}

/// Takes a vehicle brand off offer; `false` if it is. 404 if there is none.
pub async fn archive(connection: &mut PgConnection, id: i64) -> Result<bool> {
    set_archived(connection, id, true).await
}

/// Puts a vehicle brand back on offer; `false` if it is. 409 under `name` if the name is taken meanwhile.
pub async fn restore(connection: &mut PgConnection, id: i64) -> Result<bool> {
    set_archived(connection, id, false).await
}

async fn set_archived(connection: &mut PgConnection, id: i64, is_archived: bool) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"
        with present as (
            select id, (archived_at is not null) <> $2 as differs from vehicle_brands where id = $1 for no key update
        ), written as (
            update vehicle_brands set archived_at = case when $2 then now() end, updated_at = now()
            from present where vehicle_brands.id = present.id and present.differs
        )
        select differs as "differs!" from present
        "#,
        id,
        is_archived
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Vehicle brand"))
}

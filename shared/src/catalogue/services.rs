//! Services that the shop sells.

use std::ops::RangeInclusive;

use sqlx::PgConnection;

use super::{archive::archivable, refused};
use crate::{
    Error, Result,
    ids::{ServiceCategoryId, ServiceId},
};

/// Minutes that a service may take: at most a day.
pub const MINUTES: RangeInclusive<i32> = 1..=1440;

/// The writable columns of a service.
#[derive(Clone, Debug)]
pub struct Service {
    pub service_category_id: ServiceCategoryId,
    pub name: String,
    pub description: String,
    pub duration_minutes: i32,
}

/// Adds a service and returns its id; 409 on `name` if the name is taken.
pub async fn add(connection: &mut PgConnection, row: &Service) -> Result<ServiceId> {
    sqlx::query_scalar!(
        "insert into services (service_category_id, name, description, duration_minutes) values ($1, $2, $3, $4) returning id",
        row.service_category_id.0,
        row.name,
        row.description,
        row.duration_minutes
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
    .map(ServiceId)
}

/// Updates a service; `false` if nothing differs, 404 if it does not exist.
pub async fn rewrite(connection: &mut PgConnection, id: ServiceId, row: &Service) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"
        with present as (
            select id, (service_category_id, name, description, duration_minutes) is distinct from ($2, $3, $4, $5) as differs
            from services where id = $1 for no key update
        ), written as (
            update services set service_category_id = $2, name = $3, description = $4, duration_minutes = $5, updated_at = now()
            from present where services.id = present.id and present.differs
        )
        select differs as "differs!" from present
        "#,
        id.0,
        row.service_category_id.0,
        row.name,
        row.description,
        row.duration_minutes
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Service"))
}

archivable!("services", "Service", ServiceId);

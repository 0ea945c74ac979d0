//! Categories of services.

use sqlx::PgConnection;

use super::{archive::archivable, refused};
use crate::{Error, Result, ids::ServiceCategoryId};

/// The writable columns of a service category.
#[derive(Clone, Debug)]
pub struct ServiceCategory {
    pub name: String,
    pub description: String,
}

/// Adds a service category and returns its id; 409 on `name` if the name is taken.
pub async fn add(connection: &mut PgConnection, row: &ServiceCategory) -> Result<ServiceCategoryId> {
    sqlx::query_scalar!(
        "insert into service_categories (name, description) values ($1, $2) returning id",
        row.name,
        row.description
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
    .map(ServiceCategoryId)
}

/// Updates a service category; `false` if nothing differs, 404 if it does not exist.
pub async fn rewrite(connection: &mut PgConnection, id: ServiceCategoryId, row: &ServiceCategory) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"
        with present as (
            select id, (name, description) is distinct from ($2, $3) as differs
            from service_categories where id = $1 for no key update
        ), written as (
            update service_categories set name = $2, description = $3, updated_at = now()
            from present where service_categories.id = present.id and present.differs
        )
        select differs as "differs!" from present
        "#,
        id.0,
        row.name,
        row.description
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Service category"))
}

archivable!("service_categories", "Service category", ServiceCategoryId);

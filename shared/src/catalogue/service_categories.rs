//! Categories of services.

use sqlx::PgConnection;

use super::refused;
use crate::{Error, Result};

/// A service category, as it is written.
#[derive(Clone, Debug)]
pub struct ServiceCategory {
    pub name: String,
    pub description: String,
}

/// Adds a service category; its id. 409 under `name` if the name is taken.
pub async fn add(connection: &mut PgConnection, row: &ServiceCategory) -> Result<i64> {
    sqlx::query_scalar!(
        "insert into service_categories (name, description) values ($1, $2) returning id",
        row.name,
        row.description
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
}

/// Rewrites a service category; `false` if nothing differs. 404 if there is none.
pub async fn rewrite(connection: &mut PgConnection, id: i64, row: &ServiceCategory) -> Result<bool> {
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
        id,
        row.name,
        row.description
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Service category"))
}

/// Takes a service category off offer; `false` if it is. 404 if there is none.
pub async fn archive(connection: &mut PgConnection, id: i64) -> Result<bool> {
    set_archived(connection, id, true).await
}

/// Puts a service category back on offer; `false` if it is. 409 under `name` if the name is taken meanwhile.
pub async fn restore(connection: &mut PgConnection, id: i64) -> Result<bool> {
    set_archived(connection, id, false).await
}

async fn set_archived(connection: &mut PgConnection, id: i64, is_archived: bool) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"
        with present as (
            select id, (archived_at is not null) <> $2 as differs from service_categories where id = $1 for no key update
        ), written as (
            update service_categories set archived_at = case when $2 then now() end, updated_at = now()
            from present where service_categories.id = present.id and present.differs
        )
        select differs as "differs!" from present
        "#,
        id,
        is_archived
    )
    .fetch_optional(connection)
    .await
    .map_err(refused)?;
    changed.ok_or(Error::NotFound("Service category"))
}

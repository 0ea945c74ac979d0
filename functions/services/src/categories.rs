//! Service categories, by which customers browse the services.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Result,
    cache::{Asked, Cache, HOUR},
    http::{Envelope, ErrorBody, Id, Paged, Paging, Routes, routes},
    ids::ServiceCategoryId,
};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(list, show)
}

/// A service category.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceCategory)]
struct Category {
    #[schema(value_type = i64)]
    id: ServiceCategoryId,
    name: String,
    description: String,
    /// How many services it has on offer.
    service_count: i64,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
}

/// Lists the service categories.
///
/// Those on offer, by id.
#[utoipa::path(
    get, path = "/service-categories", operation_id = "list_service_categories", tag = "Catalogue", params(Paging),
    responses((status = 200, body = Paged<Category>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn list(State(cache): State<Cache>, asked: Asked) -> Result<Response> {
    let message = "Service categories retrieved successfully";
    cache.list(asked, "service-categories", HOUR, message, async |pool| select(&pool, None).await).await
}

/// Shows a service category.
///
/// 404 if it is not on offer.
#[utoipa::path(
    get, path = "/service-categories/{id}", operation_id = "show_service_category", tag = "Catalogue",
    params(("id" = i64, Path)),
    responses((status = 200, body = Envelope<Category>), (status = 304), (status = 404, body = ErrorBody))
)]
async fn show(State(cache): State<Cache>, Id(id): Id<ServiceCategoryId>, asked: Asked) -> Result<Response> {
    let (name, message) = ("Service category", "Service category retrieved successfully");
    cache
        .item(asked, &format!("service-categories/{id}"), HOUR, (name, message), async |pool| {
            Ok(select(&pool, Some(id)).await?.pop())
        })
        .await
}

/// All categories on offer, or the one with this id.
async fn select(pool: &PgPool, id: Option<ServiceCategoryId>) -> sqlx::Result<Vec<Category>> {
    sqlx::query_as!(
        Category,
        r#"
        select id, name, description, created_at, updated_at, (
            select count(*) from services where service_category_id = service_categories.id and archived_at is null
        ) as "service_count!"
        from service_categories
        where archived_at is null and ($1::bigint is null or id = $1)
        order by id
        "#,
        id as Option<ServiceCategoryId>
    )
    .fetch_all(pool)
    .await
}

//! Services: the jobs that the shop sells, independent of the vehicle model.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Result,
    cache::{Asked, Cache, HOUR},
    http::{Envelope, ErrorBody, Fields, Id, Paged, Paging, Read, Routes, routes},
    money::Rupees,
};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

use crate::App;

pub(crate) fn routes() -> Routes<App> {
    routes!(list, show)
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
struct Service {
    id: i64,
    service_category: i64,
    category_name: String,
    name: String,
    description: String,
    duration_minutes: i32,
    /// The lowest price of all models, in rupees; null where no model has one.
    #[schema(value_type = Option<f64>, required, example = 559.00)]
    price: Option<Rupees>,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfCategory {
    /// The id of a category. One that does not exist has no services.
    category_id: Option<i64>,
    /// What older clients call `category_id`.
    service_category: Option<i64>,
}

impl Read for OfCategory {
    fn read(fields: &mut Fields) -> Option<Self> {
        let category_id = fields.integer_if_sent("category_id");
        Some(Self { category_id, service_category: fields.integer_if_sent("service_category") })
    }
}

/// Lists the services.
///
/// Those on offer, by id; with `category_id` those of that category.
#[utoipa::path(
    get, path = "/services", operation_id = "list_services", tag = "Catalogue", params(OfCategory, Paging),
    responses((status = 200, body = Paged<Service>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn list(State(cache): State<Cache>, asked: Asked<OfCategory>) -> Result<Response> {
    let category = asked.filter.category_id.or(asked.filter.service_category);
    let key = category.map_or_else(|| "services".to_owned(), |category| format!("services?{category}"));
    cache
        .list(asked, &key, HOUR, "Services retrieved successfully", async |pool| select(&pool, None, category).await)
        .await
}

/// Shows a service.
///
/// 404 if it is not on offer.
#[utoipa::path(
    get, path = "/services/{id}", operation_id = "show_service", tag = "Catalogue",
    params(("id" = i64, Path)),
    responses((status = 200, body = Envelope<Service>), (status = 304), (status = 404, body = ErrorBody))
)]
async fn show(State(cache): State<Cache>, Id(id): Id, asked: Asked) -> Result<Response> {
    let (name, message) = ("Service", "Service retrieved successfully");
    cache
        .item(asked, &format!("services/{id}"), HOUR, (name, message), async |pool| {
            Ok(select(&pool, Some(id), None).await?.pop())
        })
        .await
}

/// All services on offer, those of a category, or the one with this id.
async fn select(pool: &PgPool, id: Option<i64>, category: Option<i64>) -> sqlx::Result<Vec<Service>> {
    sqlx::query_as!(
        Service,
        r#"
        select service.id, service.service_category_id as service_category, category.name as category_name,
            service.name, service.description, service.duration_minutes, min(price.price_paise) as "price: Rupees",
            service.created_at, service.updated_at
        from services service
        join service_categories category on category.id = service.service_category_id
        left join service_prices price on price.service_id = service.id
        where service.archived_at is null and category.archived_at is null
            and ($1::bigint is null or service.id = $1) and ($2::bigint is null or service.service_category_id = $2)
        group by service.id, category.id
        order by service.id
        "#,
        id,
        category
    )
    .fetch_all(pool)
    .await
}

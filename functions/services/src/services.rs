//! Services: the jobs that the shop sells, independent of the vehicle model.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Result,
    cache::{Asked, Cache, HOUR},
    http::{Envelope, ErrorBody, Fields, Id, Paged, Paging, Read, Routes, routes},
    ids::{ServiceCategoryId, ServiceId, VehicleModelId},
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
    #[schema(value_type = i64)]
    id: ServiceId,
    #[schema(value_type = i64)]
    service_category: ServiceCategoryId,
    category_name: String,
    name: String,
    description: String,
    duration_minutes: i32,
    /// In rupees: the lowest of all models, null where no model has one; with `vehicle_model_id` the price for that model.
    #[schema(value_type = Option<f64>, required, example = 559.00)]
    price: Option<Rupees>,
    #[serde(with = "shared::http::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "shared::http::time")]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
struct Of {
    /// The id of a category. One that does not exist has no services.
    #[param(value_type = Option<i64>)]
    category_id: Option<ServiceCategoryId>,
    /// What older clients call `category_id`.
    #[param(value_type = Option<i64>)]
    service_category: Option<ServiceCategoryId>,
    /// What other older clients call `category_id`.
    #[param(value_type = Option<i64>)]
    category: Option<ServiceCategoryId>,
    /// The id of a model. One that does not exist has no services.
    #[param(value_type = Option<i64>)]
    vehicle_model_id: Option<VehicleModelId>,
}

impl Read for Of {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            category_id: fields.id_if_sent("category_id"),
            service_category: fields.id_if_sent("service_category"),
            category: fields.id_if_sent("category"),
            vehicle_model_id: fields.id_if_sent("vehicle_model_id"),
        })
    }
}

impl Of {
    fn category(&self) -> Option<ServiceCategoryId> {
        self.category_id.or(self.service_category).or(self.category)
    }

    /// The key of the cached list.
    fn key(&self) -> String {
        let category = self.category().map(|id| format!("?{id}")).unwrap_or_default();
        let model = self.vehicle_model_id.map(|id| format!("@{id}")).unwrap_or_default();
        format!("services{category}{model}")
    }
}

/// Lists the services.
///
/// Those on offer, by id; with `category_id` those of that category, with `vehicle_model_id` those that the model has a price
/// for, at that price.
#[utoipa::path(
    get, path = "/services", operation_id = "list_services", tag = "Catalogue", params(Of, Paging),
    responses((status = 200, body = Paged<Service>), (status = 304), (status = 400, body = ErrorBody))
)]
async fn list(State(cache): State<Cache>, asked: Asked<Of>) -> Result<Response> {
    let (key, category, model) = (asked.filter.key(), asked.filter.category(), asked.filter.vehicle_model_id);
    cache
        .list_below(asked, &key, HOUR, "Services retrieved successfully", async |pool| {
            let services = select(&pool, None, category, model).await?;
            let is_known = !services.is_empty() || are_known(&pool, category, model).await?;
            Ok(is_known.then_some(services))
        })
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
async fn show(State(cache): State<Cache>, Id(id): Id<ServiceId>, asked: Asked) -> Result<Response> {
    let (name, message) = ("Service", "Service retrieved successfully");
    cache
        .item(asked, &format!("services/{id}"), HOUR, (name, message), async |pool| {
            Ok(select(&pool, Some(id), None, None).await?.pop())
        })
        .await
}

/// The services on offer, or the one with this id; those of a category; those with a price for a model.
async fn select(
    pool: &PgPool,
    id: Option<ServiceId>,
    category: Option<ServiceCategoryId>,
    model: Option<VehicleModelId>,
) -> sqlx::Result<Vec<Service>> {
    sqlx::query_as!(
        Service,
        r#"
        select service.id, service.service_category_id as service_category, category.name as category_name,
            service.name, service.description, service.duration_minutes, min(price.price_paise) as "price: Rupees",
            service.created_at, service.updated_at
        from services service
        join service_categories category on category.id = service.service_category_id
        left join service_prices price on price.service_id = service.id
            and ($3::bigint is null or price.vehicle_model_id = $3
                and exists (select from vehicle_models where id = $3 and archived_at is null))
        where service.archived_at is null and category.archived_at is null
            and ($1::bigint is null or service.id = $1) and ($2::bigint is null or service.service_category_id = $2)
        group by service.id, category.id
        having $3 is null or count(price.id) > 0
        order by service.id
        "#,
        id as Option<ServiceId>,
        category as Option<ServiceCategoryId>,
        model as Option<VehicleModelId>
    )
    .fetch_all(pool)
    .await
}

/// Whether the category and the model that a caller named exist, also if they are not on offer.
async fn are_known(
    pool: &PgPool,
    category: Option<ServiceCategoryId>,
    model: Option<VehicleModelId>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select ($1::bigint is null or exists (select from service_categories where id = $1))
            and ($2::bigint is null or exists (select from vehicle_models where id = $2)) as "are_known!"
        "#,
        category as Option<ServiceCategoryId>,
        model as Option<VehicleModelId>
    )
    .fetch_one(pool)
    .await
}

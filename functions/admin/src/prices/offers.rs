//! What can have a price: every service on offer for every model on offer, with the price if there is one.

use shared::{
    Result,
    database::Database,
    ids::{ServiceCategoryId, ServiceId, VehicleBrandId, VehicleModelId},
};
use sqlx::{PgConnection, PgExecutor};

use super::choice::Choice;

/// A service and a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) service_id: ServiceId,
    pub(super) vehicle_model_id: VehicleModelId,
}

/// A service for a model, with its price in paise if it is offered.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) service_id: ServiceId,
    pub(super) service: String,
    pub(super) category_id: ServiceCategoryId,
    pub(super) category: String,
    pub(super) vehicle_model_id: VehicleModelId,
    pub(super) model: String,
    pub(super) brand_id: VehicleBrandId,
    pub(super) brand: String,
    pub(super) paise: Option<i64>,
}

impl Offer {
    pub(super) fn pair(&self) -> Pair {
        Pair { service_id: self.service_id, vehicle_model_id: self.vehicle_model_id }
    }
}

/// Loads the chosen ones: by category, service and model, or, for one service of all brands, by brand and model.
pub(super) async fn load(executor: impl PgExecutor<'_>, choice: Choice) -> sqlx::Result<Vec<Offer>> {
    sqlx::query_as!(
        Offer,
        r#"
        select service.id as "service_id: ServiceId", service.name as service, category.id as category_id,
            category.name as category, model.id as "vehicle_model_id: VehicleModelId", model.name as model,
            brand.id as brand_id, brand.name as brand, price.price_paise as "paise?"
        from vehicle_models model
        join vehicle_brands brand on brand.id = model.vehicle_brand_id
        join vehicle_types type on type.id = brand.vehicle_type_id
        cross join services service
        join service_categories category on category.id = service.service_category_id
        left join service_prices price on price.vehicle_model_id = model.id and price.service_id = service.id
        where ($1::bigint is null or brand.id = $1) and ($2::bigint is null or model.id = $2)
            and ($3::bigint is null or service.id = $3)
            and model.archived_at is null and brand.archived_at is null and type.archived_at is null
            and service.archived_at is null and category.archived_at is null
        order by case when $4 then lower(brand.name) end, case when $4 then brand.id end,
            category.id, service.id, lower(model.name), model.id
        "#,
        choice.brand.map(|id| id.0),
        choice.model.map(|id| id.0),
        choice.service.map(|id| id.0),
        choice.is_list()
    )
    .fetch_all(executor)
    .await
}

/// What is known about a pair that a file or form names. A name is missing if the row does not exist or is archived.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) service: Option<String>,
    pub(super) brand: Option<String>,
    pub(super) model: Option<String>,
    pub(super) paise: Option<i64>,
}

/// Looks pairs up; the answers are in their order.
pub(super) async fn look_up(connection: &mut PgConnection, pairs: &[Pair]) -> sqlx::Result<Vec<Known>> {
    let services: Vec<i64> = pairs.iter().map(|pair| pair.service_id.0).collect();
    let models: Vec<i64> = pairs.iter().map(|pair| pair.vehicle_model_id.0).collect();
    sqlx::query_as!(
        Known,
        r#"
        select service.name as "service?", model.brand as "brand?", model.name as "model?", price.price_paise as "paise?"
        from unnest($1::bigint[], $2::bigint[]) with ordinality as asked (service_id, vehicle_model_id, place)
        left join (
            select service.id, service.name from services service
            join service_categories category on category.id = service.service_category_id
            where service.archived_at is null and category.archived_at is null
        ) service on service.id = asked.service_id
        left join (
            select model.id, model.name, brand.name as brand from vehicle_models model
            join vehicle_brands brand on brand.id = model.vehicle_brand_id
            join vehicle_types type on type.id = brand.vehicle_type_id
            where model.archived_at is null and brand.archived_at is null and type.archived_at is null
        ) model on model.id = asked.vehicle_model_id
        left join service_prices price on price.service_id = service.id and price.vehicle_model_id = model.id
        order by asked.place
        "#,
        &services,
        &models
    )
    .fetch_all(connection)
    .await
}

/// A brand to choose, with the number of its prices.
#[derive(Debug)]
pub(super) struct Brand {
    pub(super) id: VehicleBrandId,
    pub(super) name: String,
    pub(super) count: i64,
}

pub(super) async fn brands(database: &Database) -> Result<Vec<Brand>> {
    let brands = sqlx::query_as!(
        Brand,
        r#"
        select brand.id, brand.name || ' · ' || type.name as "name!", (
            select count(*) from service_prices price
            join services service on service.id = price.service_id
            join service_categories category on category.id = service.service_category_id
            join vehicle_models model on model.id = price.vehicle_model_id
            where model.vehicle_brand_id = brand.id and model.archived_at is null
                and service.archived_at is null and category.archived_at is null
        ) as "count!"
        from vehicle_brands brand join vehicle_types type on type.id = brand.vehicle_type_id
        where brand.archived_at is null and type.archived_at is null
        order by lower(brand.name), type.name, brand.id
        "#
    )
    .fetch_all(&database.pool())
    .await?;
    Ok(brands)
}

/// Writes prices compactly, for a hidden input: `4-7=39100 4-8=`, by service, model and paise.
pub(super) fn compact(prices: impl IntoIterator<Item = (Pair, Option<i64>)>) -> String {
    let words = prices.into_iter().map(|(pair, paise)| {
        let paise = paise.map(|paise| paise.to_string()).unwrap_or_default();
        format!("{}-{}={paise}", pair.service_id, pair.vehicle_model_id)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Reads what [`compact`] has written; `None` if it is damaged.
pub(super) fn expand(text: &str) -> Option<Vec<(Pair, Option<i64>)>> {
    let read = |word: &str| {
        let (pair, paise) = word.split_once('=')?;
        let paise = if paise.is_empty() { None } else { Some(paise.parse().ok()?) };
        Some((pair_of(pair)?, paise))
    };
    text.split_ascii_whitespace().map(read).collect()
}

/// The pair of `4-7`.
pub(super) fn pair_of(text: &str) -> Option<Pair> {
    let (service, model) = text.split_once('-')?;
    let (service, model): (i64, i64) = (service.parse().ok()?, model.parse().ok()?);
    Some(Pair { service_id: service.into(), vehicle_model_id: model.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_written_compactly_are_read_back() {
        let pair = |service, model| Pair { service_id: ServiceId(service), vehicle_model_id: VehicleModelId(model) };
        let prices = vec![(pair(4, 7), Some(39_100)), (pair(4, 8), None)];
        assert_eq!(compact(prices.clone()), "4-7=39100 4-8=");
        assert_eq!(expand("4-7=39100 4-8="), Some(prices));
        assert_eq!(expand(""), Some(Vec::new()));
        for damaged in ["4-7", "4=1", "a-7=1", "4-7=x", "4-7=1 4-"] {
            assert_eq!(expand(damaged), None, "{damaged}");
        }
    }
}

//! Writes each table of the catalogue: archives rows that are no longer in the file, upserts rows that differ.

use std::ops::Range;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{
    files::{Catalogue, Price},
    report::Rows,
    shop_file::{Holiday, Shop, Week},
};
use crate::{
    catalogue::{hours, shop},
    ids::{ServiceCategoryId, ServiceId, VehicleBrandId, VehicleModelId, VehicleTypeId},
};

pub(super) async fn write_types(catalogue: &Catalogue, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let rows = &catalogue.types;
    let ids: Vec<VehicleTypeId> = rows.iter().map(|row| row.id).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let slugs: Vec<String> = rows.iter().map(|row| row.slug.clone()).collect();
    let removed = sqlx::query!(
        "update vehicle_types set archived_at = now(), updated_at = now() where archived_at is null and id <> all ($1)",
        &ids as &[VehicleTypeId]
    )
    .execute(&mut *database)
    .await?;
    let outcomes = sqlx::query_scalar!(
        r#"
        insert into vehicle_types as kept (id, name, slug) overriding system value
        select * from unnest($1::bigint[], $2::text[], $3::text[])
        on conflict (id) do update
            set name = excluded.name, slug = excluded.slug, archived_at = null, updated_at = now()
            where (kept.name, kept.slug) is distinct from (excluded.name, excluded.slug) or kept.archived_at is not null
        returning (xmax = 0) as "added!"
        "#,
        &ids as &[VehicleTypeId],
        &names,
        &slugs
    )
    .fetch_all(&mut *database)
    .await?;
    Ok(Rows::tally(rows.len(), &outcomes, removed.rows_affected()))
}

pub(super) async fn write_brands(catalogue: &Catalogue, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let rows = &catalogue.brands;
    let ids: Vec<VehicleBrandId> = rows.iter().map(|row| row.id).collect();
    let types: Vec<VehicleTypeId> = rows.iter().map(|row| row.type_id).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let removed = sqlx::query!(
        "update vehicle_brands set archived_at = now(), updated_at = now() where archived_at is null and id <> all ($1)",
        &ids as &[VehicleBrandId]
    )
    .execute(&mut *database)
    .await?;
    let outcomes = sqlx::query_scalar!(
        r#"
        insert into vehicle_brands as kept (id, vehicle_type_id, name) overriding system value
        select * from unnest($1::bigint[], $2::bigint[], $3::text[])
        on conflict (id) do update
            set vehicle_type_id = excluded.vehicle_type_id, name = excluded.name, archived_at = null, updated_at = now()
            where (kept.vehicle_type_id, kept.name) is distinct from (excluded.vehicle_type_id, excluded.name)
                or kept.archived_at is not null
        returning (xmax = 0) as "added!"
        "#,
        &ids as &[VehicleBrandId],
        &types as &[VehicleTypeId],
        &names
    )
    .fetch_all(&mut *database)
    .await?;
    Ok(Rows::tally(rows.len(), &outcomes, removed.rows_affected()))
}

pub(super) async fn write_models(catalogue: &Catalogue, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let rows = &catalogue.models;
    let ids: Vec<VehicleModelId> = rows.iter().map(|row| row.id).collect();
    let brands: Vec<VehicleBrandId> = rows.iter().map(|row| row.brand_id).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let engines: Vec<Option<i32>> = rows.iter().map(|row| row.engine_cc).collect();
    let fuels: Vec<String> = rows.iter().map(|row| row.fuel.clone()).collect();
    let removed = sqlx::query!(
        "update vehicle_models set archived_at = now(), updated_at = now() where archived_at is null and id <> all ($1)",
        &ids as &[VehicleModelId]
    )
    .execute(&mut *database)
    .await?;
    let outcomes = sqlx::query_scalar!(
        r#"
        insert into vehicle_models as kept (id, vehicle_brand_id, name, engine_cc, fuel) overriding system value
        select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::text[])
        on conflict (id) do update
            set vehicle_brand_id = excluded.vehicle_brand_id, name = excluded.name, engine_cc = excluded.engine_cc,
                fuel = excluded.fuel, archived_at = null, updated_at = now()
            where (kept.vehicle_brand_id, kept.name, kept.engine_cc, kept.fuel)
                is distinct from (excluded.vehicle_brand_id, excluded.name, excluded.engine_cc, excluded.fuel)
                or kept.archived_at is not null
        returning (xmax = 0) as "added!"
        "#,
        &ids as &[VehicleModelId],
        &brands as &[VehicleBrandId],
        &names,
        &engines as &[Option<i32>],
        &fuels
    )
    .fetch_all(&mut *database)
    .await?;
    Ok(Rows::tally(rows.len(), &outcomes, removed.rows_affected()))
}

pub(super) async fn write_categories(catalogue: &Catalogue, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let rows = &catalogue.categories;
    let ids: Vec<ServiceCategoryId> = rows.iter().map(|row| row.id).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let descriptions: Vec<String> = rows.iter().map(|row| row.description.clone()).collect();
    let removed = sqlx::query!(
        "update service_categories set archived_at = now(), updated_at = now() where archived_at is null and id <> all ($1)",
        &ids as &[ServiceCategoryId]
    )
    .execute(&mut *database)
    .await?;
    let outcomes = sqlx::query_scalar!(
        r#"
        insert into service_categories as kept (id, name, description) overriding system value
        select * from unnest($1::bigint[], $2::text[], $3::text[])
        on conflict (id) do update
            set name = excluded.name, description = excluded.description, archived_at = null, updated_at = now()
            where (kept.name, kept.description) is distinct from (excluded.name, excluded.description)
                or kept.archived_at is not null
        returning (xmax = 0) as "added!"
        "#,
        &ids as &[ServiceCategoryId],
        &names,
        &descriptions
    )
    .fetch_all(&mut *database)
    .await?;
    Ok(Rows::tally(rows.len(), &outcomes, removed.rows_affected()))
}

pub(super) async fn write_services(catalogue: &Catalogue, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let rows = &catalogue.services;
    let ids: Vec<ServiceId> = rows.iter().map(|row| row.id).collect();
    let categories: Vec<ServiceCategoryId> = rows.iter().map(|row| row.category_id).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let descriptions: Vec<String> = rows.iter().map(|row| row.description.clone()).collect();
    let durations: Vec<i32> = rows.iter().map(|row| row.duration_minutes).collect();
    let removed = sqlx::query!(
        "update services set archived_at = now(), updated_at = now() where archived_at is null and id <> all ($1)",
        &ids as &[ServiceId]
    )
    .execute(&mut *database)
    .await?;
    let outcomes = sqlx::query_scalar!(
        r#"
        insert into services as kept (id, service_category_id, name, description, duration_minutes) overriding system value
        select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::integer[])
        on conflict (id) do update
            set service_category_id = excluded.service_category_id, name = excluded.name,
                description = excluded.description, duration_minutes = excluded.duration_minutes,
                archived_at = null, updated_at = now()
            where (kept.service_category_id, kept.name, kept.description, kept.duration_minutes)
                is distinct from
                (excluded.service_category_id, excluded.name, excluded.description, excluded.duration_minutes)
                or kept.archived_at is not null
        returning (xmax = 0) as "added!"
        "#,
        &ids as &[ServiceId],
        &categories as &[ServiceCategoryId],
        &names,
        &descriptions,
        &durations
    )
    .fetch_all(&mut *database)
    .await?;
    Ok(Rows::tally(rows.len(), &outcomes, removed.rows_affected()))
}

/// Prices in a statement. With all of them in one, their copies on the way to Postgres would take more memory than the rest
/// of the import.
const AT_ONCE: usize = 1_000;

/// Where a price stands among all.
type Place = (VehicleModelId, ServiceId);

pub(super) async fn write_prices(catalogue: &Catalogue, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let pieces = catalogue.prices.chunks(AT_ONCE);
    let ends = pieces.clone().skip(1).filter_map(|next| next.first()).map(Price::place);
    let behind_all = (VehicleModelId(i64::MAX), ServiceId(i64::MAX));
    let (mut written, mut begin) = (Rows::default(), Place::default());
    for (piece, end) in pieces.zip(ends.chain([behind_all])) {
        written = written + write_piece(piece, begin..end, database).await?;
        begin = end;
    }
    Ok(written)
}

/// Makes the prices of a range equal to these. Deletes those that are no longer in the file, because no row refers to a price.
async fn write_piece(rows: &[Price], range: Range<Place>, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let services: Vec<ServiceId> = rows.iter().map(|row| row.service_id).collect();
    let models: Vec<VehicleModelId> = rows.iter().map(|row| row.model_id).collect();
    let prices: Vec<i64> = rows.iter().map(|row| row.price.paise()).collect();
    let Range { start: (first_model, first_service), end: (end_model, end_service) } = range;
    let removed = sqlx::query!(
        "
        delete from service_prices
        where (vehicle_model_id, service_id) >= ($3, $4) and (vehicle_model_id, service_id) < ($5, $6)
            and not exists (
                select from unnest($1::bigint[], $2::bigint[]) as kept (service_id, vehicle_model_id)
                where kept.service_id = service_prices.service_id
                    and kept.vehicle_model_id = service_prices.vehicle_model_id
            )
        ",
        &services as &[ServiceId],
        &models as &[VehicleModelId],
        first_model as VehicleModelId,
        first_service as ServiceId,
        end_model as VehicleModelId,
        end_service as ServiceId
    )
    .execute(&mut *database)
    .await?;
    let outcomes = sqlx::query_scalar!(
        r#"
        insert into service_prices as kept (service_id, vehicle_model_id, price_paise)
        select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])
        on conflict (vehicle_model_id, service_id) do update
            set price_paise = excluded.price_paise, updated_at = now()
            where kept.price_paise <> excluded.price_paise
        returning (xmax = 0) as "added!"
        "#,
        &services as &[ServiceId],
        &models as &[VehicleModelId],
        &prices
    )
    .fetch_all(&mut *database)
    .await?;
    Ok(Rows::tally(rows.len(), &outcomes, removed.rows_affected()))
}

/// Opening hours and holidays count as separate rows.
pub(super) async fn write_shop(shop: &Shop, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let settings = Rows::tally(1, &shop::write(database, &shop.settings()).await?, 0);
    let rows = settings + write_week(&shop.opening_hours, database).await?;
    Ok(match &shop.holidays {
        Some(holidays) => rows + write_holidays(holidays, database).await?,
        None => rows,
    })
}

async fn write_week(week: &Week, database: &mut PgConnection) -> sqlx::Result<Rows> {
    let week = week.open_days();
    let (outcomes, removed) = hours::write_week(database, &week).await?;
    Ok(Rows::tally(week.len(), &outcomes, removed))
}

async fn write_holidays(holidays: &[Holiday], database: &mut PgConnection) -> sqlx::Result<Rows> {
    let days: Vec<(NaiveDate, &str)> = holidays.iter().map(|holiday| (holiday.date, holiday.name.as_str())).collect();
    let (outcomes, removed) = hours::write_holidays(database, &days).await?;
    Ok(Rows::tally(days.len(), &outcomes, removed))
}

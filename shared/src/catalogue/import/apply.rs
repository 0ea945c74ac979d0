//! Writes a validated catalogue to the database as one change, and reports the row counts.

use serde::Deserialize;
use sqlx::PgConnection;
use tracing::info;

use super::{
    files::Catalogue,
    report::Report,
    tables::{write_brands, write_categories, write_models, write_prices, write_services, write_shop, write_types},
};
use crate::{
    bookings::outside::left_outside,
    catalogue::{change, preview},
    database::Database,
    history::Author,
    redis::{self as link, Redis},
};

/// The reason that an import failed; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("nothing was changed: Redis did not take the announcement, and old prices could have stayed in the cache")]
    Redis(#[from] link::Error),
    #[error("nothing was changed: shop_info.json: \"{0}\" is no time zone that Postgres knows")]
    TimeZone(String),
    #[error("nothing was changed: the database failed")]
    Database(#[from] sqlx::Error),
}

/// When an import writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Makes the database equal to the files.
    #[default]
    Replace,
    /// The same, but only if the catalogue is empty: changes made elsewhere are not undone.
    IfEmpty,
    /// Writes nothing, and reports what would be written.
    Preview,
}

/// Imports files, keeping their ids. Idempotent, and safe to run concurrently.
pub async fn import(
    catalogue: &Catalogue,
    database: &Database,
    redis: &Redis,
    mode: Mode,
    author: &Author,
) -> Result<Report, Error> {
    if mode == Mode::Preview {
        let write = async |connection: &mut PgConnection| write(catalogue, connection).await;
        let (report, version) = Box::pin(preview(database, write)).await?;
        return Ok(Report { version, ..report });
    }
    let write = async |connection: &mut PgConnection| {
        if mode == Mode::IfEmpty && !is_empty(connection).await? {
            return Ok((Report::default(), false));
        }
        let report = write(catalogue, connection).await?;
        advance_ids(connection).await?;
        let is_change = report.is_change();
        Ok::<_, Error>((Report { applied: true, ..report }, is_change))
    };
    // Boxed, because the nested future types are too deep for the compiler.
    let (report, version) = Box::pin(change(database, redis, author, write)).await?;
    info!(version, report.applied, "catalogue imported");
    Ok(Report { version, ..report })
}

/// Whether there is no catalogue, not even an archived one.
async fn is_empty(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select not exists (select from vehicle_types) as "is_empty!""#).fetch_one(connection).await
}

async fn write(catalogue: &Catalogue, database: &mut PgConnection) -> Result<Report, Error> {
    let time_zone = &catalogue.shop.timezone;
    let is_known =
        sqlx::query_scalar!(r#"select exists (select from pg_timezone_names where name = $1) as "known!""#, time_zone);
    if !is_known.fetch_one(&mut *database).await? {
        return Err(Error::TimeZone(time_zone.clone()));
    }
    Ok(Report {
        applied: false,
        version: 0,
        vehicle_types: write_types(catalogue, database).await?,
        vehicle_brands: write_brands(catalogue, database).await?,
        vehicle_models: write_models(catalogue, database).await?,
        service_categories: write_categories(catalogue, database).await?,
        services: write_services(catalogue, database).await?,
        service_prices: write_prices(catalogue, database).await?,
        shop: write_shop(&catalogue.shop, database).await?,
        left_outside: left_outside(database).await?.into_iter().map(|booking| booking.id).collect(),
    })
}

/// Advances the id sequences past the ids of the files.
async fn advance_ids(database: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query_scalar!(
        "
        select setval(sequence, greatest(highest, 1)) from (values
            (pg_get_serial_sequence('vehicle_types', 'id'), (select max(id) from vehicle_types)),
            (pg_get_serial_sequence('vehicle_brands', 'id'), (select max(id) from vehicle_brands)),
            (pg_get_serial_sequence('vehicle_models', 'id'), (select max(id) from vehicle_models)),
            (pg_get_serial_sequence('service_categories', 'id'), (select max(id) from service_categories)),
            (pg_get_serial_sequence('services', 'id'), (select max(id) from services)),
            (pg_get_serial_sequence('shops', 'id'), (select max(id) from shops))
        ) as tables (sequence, highest)
        "
    )
    .fetch_all(database)
    .await?;
    Ok(())
}

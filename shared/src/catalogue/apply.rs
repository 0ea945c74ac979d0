//! Brings a checked catalogue into the database: one transaction, told row by row.

use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use tracing::{info, warn};

use super::{
    files::Catalogue,
    tables::{write_brands, write_categories, write_models, write_prices, write_services, write_shop, write_types},
};
use crate::{
    cache,
    redis::{self as link, Redis},
};

/// What an import did.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of the catalogue that now holds; it grows when anything changed, and no other database has it.
    pub version: i64,
    /// `vehicle_types.csv`.
    pub vehicle_types: Rows,
    /// `vehicle_brands.csv`.
    pub vehicle_brands: Rows,
    /// `vehicle_models.csv`.
    pub vehicle_models: Rows,
    /// `service_categories.csv`.
    pub service_categories: Rows,
    /// `services.csv`.
    pub services: Rows,
    /// `service_pricing.csv`.
    pub service_prices: Rows,
    /// `shop_info.json`: the shop and its opening hours.
    pub shop: Rows,
}

/// What became of the rows of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// New in the database.
    pub added: i64,
    /// There before with other values, or back on offer.
    pub changed: i64,
    /// There before just so.
    pub left_alone: i64,
    /// No longer in the file, so no longer on offer. History keeps what it refers to.
    pub removed: i64,
}

impl Rows {
    fn are_touched(self) -> bool {
        self.added + self.changed + self.removed > 0
    }

    /// `outcomes` holds, for each row written, whether it was added; `removed` rows went before.
    pub(super) fn tally(rows: usize, outcomes: &[bool], removed: u64) -> Self {
        let count =
            |wanted| i64::try_from(outcomes.iter().filter(|added| **added == wanted).count()).unwrap_or(i64::MAX);
        let (added, changed) = (count(true), count(false));
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let removed = i64::try_from(removed).unwrap_or(i64::MAX);
        Self { added, changed, left_alone: rows - added - changed, removed }
    }
}

/// Why an import did not happen. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cached prices could outlive the change.
    #[error("nothing was changed: Redis did not take the announcement, and old prices could have stayed in the cache")]
    Redis(#[from] link::Error),
    /// Postgres does not know the shop's time zone.
    #[error("nothing was changed: shop_info.json: \"{0}\" is no time zone that Postgres knows")]
    TimeZone(String),
    /// Postgres refused or is away.
    #[error("nothing was changed: the database failed")]
    Database(#[from] sqlx::Error),
}

/// Makes the database tell what the catalogue tells, keeping the ids of the files, and makes that visible at the next
/// request. Safe to repeat and to run twice at once.
pub async fn import(catalogue: &Catalogue, pool: &PgPool, redis: &Redis) -> Result<Report, Error> {
    let mut transaction = pool.begin().await?;
    let report = match write(catalogue, &mut transaction, redis).await {
        Ok(report) => report,
        Err(error) => {
            // Whatever broke the import may break this too; Postgres then rolls back by itself.
            let _ = transaction.rollback().await;
            return Err(error);
        }
    };
    transaction.commit().await?;
    if report.is_change()
        && let Err(error) = publish_version(pool, redis).await
    {
        warn!(%error, "new catalogue version not read again; readers will learn it from Postgres");
    }
    info!(version = report.version, "catalogue imported");
    Ok(report)
}

/// Tells Redis which version holds in this database, or leaves that to the readers if Redis is away. What was cached from
/// another version, or from a database whose place this one has taken, is out of reach from then on. Told with the version
/// locked, so that no slower import tells an older one later, or ends the announcement of another.
pub async fn publish_version(pool: &PgPool, redis: &Redis) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    let version = lock_version(&mut transaction).await?;
    if let Err(error) = cache::publish_change(redis, version).await {
        warn!(%error, "catalogue version not told to Redis; readers will learn it from Postgres");
    }
    transaction.rollback().await
}

async fn write(catalogue: &Catalogue, database: &mut PgConnection, redis: &Redis) -> Result<Report, Error> {
    let version = lock_version(database).await?;
    let time_zone = &catalogue.shop.timezone;
    let is_known =
        sqlx::query_scalar!(r#"select exists (select from pg_timezone_names where name = $1) as "known!""#, time_zone);
    if !is_known.fetch_one(&mut *database).await? {
        return Err(Error::TimeZone(time_zone.clone()));
    }
    let mut report = Report {
        version,
        vehicle_types: write_types(catalogue, database).await?,
        vehicle_brands: write_brands(catalogue, database).await?,
        vehicle_models: write_models(catalogue, database).await?,
        service_categories: write_categories(catalogue, database).await?,
        services: write_services(catalogue, database).await?,
        service_prices: write_prices(catalogue, database).await?,
        shop: write_shop(&catalogue.shop, database).await?,
    };
    advance_ids(database).await?;
    if report.is_change() {
        report.version = advance_version(database).await?;
        cache::announce_change(redis).await?;
    }
    Ok(report)
}

impl Report {
    fn is_change(&self) -> bool {
        [
            self.vehicle_types,
            self.vehicle_brands,
            self.vehicle_models,
            self.service_categories,
            self.services,
            self.service_prices,
            self.shop,
        ]
        .into_iter()
        .any(Rows::are_touched)
    }
}

/// The version that holds, until the transaction ends: whoever imports at the same time waits here.
async fn lock_version(database: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!("select version from catalogue_versions for update").fetch_one(database).await
}

/// Milliseconds of the clock, so that no other database counts the same: one that was restored, or made anew, finds in
/// Redis what was cached from its predecessor, and must not take that for its own.
async fn advance_version(database: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        update catalogue_versions
        set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
        returning version
        "#
    )
    .fetch_one(database)
    .await
}

/// Ids that the database gives follow those of the files.
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

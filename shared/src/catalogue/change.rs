//! The version protocol of the catalogue, which rules out stale cached reads.
//!
//! Every cached entry carries the version that it was made from. A read fetches it with the current version, in one
//! round trip to Redis, and accepts it only if the two match. A change
//!
//! 1. locks the version row, which serializes changes;
//! 2. writes its rows and advances the version;
//! 3. announces the change to Redis: no cached entry is served from here on;
//! 4. commits;
//! 5. sets the new version in Redis, with the row locked again, so that a slower change cannot set an older one later.
//!
//! If the process is killed before 4, the change is rolled back; after 4, it is committed. In both cases the
//! announcement expires after a minute, and readers then load the version from Postgres. Without Redis a change fails:
//! stale prices could be served once Redis is back.

use std::convert::Infallible;

use sqlx::PgConnection;
use tracing::warn;

use crate::{
    cache,
    database::Database,
    history::{self, Author},
    redis::{Error as RedisError, Redis},
};

/// Lock timeout: the longest wait for another change, e.g. an import.
const PATIENCE: &str = "30s";

/// Runs a change of the catalogue or the shop, signed by its author. `work` returns a value and whether anything changed;
/// the result is that value and the current version. The next public read shows the change, and the next booking charges its prices.
pub async fn change<T, E: From<sqlx::Error> + From<RedisError>>(
    database: &Database,
    redis: &Redis,
    author: &Author,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<(T, bool), E>,
) -> Result<(T, i64), E> {
    let change = async |connection: &mut PgConnection| {
        let before = lock_version(connection).await?;
        history::sign(connection, author).await?;
        let (value, has_changed) = work(connection).await?;
        if !has_changed {
            return Ok((value, before, false));
        }
        let version = advance_version(connection).await?;
        cache::announce_change(redis).await?;
        Ok::<_, E>((value, version, true))
    };
    let (value, version, has_changed) = database.transaction(change).await?;
    if has_changed && let Err(error) = publish(database, redis).await {
        warn!(%error, "catalogue version not read again; readers will learn it from Postgres");
    }
    Ok((value, version))
}

/// Runs `work` as a change would and rolls it back; returns its value and the current version. Nothing is announced.
pub async fn preview<T, E: From<sqlx::Error>>(
    database: &Database,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<(T, i64), E> {
    let preview = async |connection: &mut PgConnection| -> Result<Infallible, Preview<T, E>> {
        let version = lock_version(connection).await?;
        Err(match work(connection).await {
            Ok(value) => Preview::Done(value, version),
            Err(error) => Preview::Failed(error),
        })
    };
    match database.transaction(preview).await {
        Err(Preview::Done(value, version)) => Ok((value, version)),
        Err(Preview::Failed(error)) => Err(error),
        Ok(never) => match never {},
    }
}

/// The reason for which a preview is rolled back.
enum Preview<T, E> {
    Done(T, i64),
    Failed(E),
}

impl<T, E: From<sqlx::Error>> From<sqlx::Error> for Preview<T, E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Sets the version in Redis to this database's; if Redis is down, readers do so later. Entries of another version, or
/// of a database that this one replaces, are unreachable from then on.
pub async fn publish(database: &Database, redis: &Redis) -> sqlx::Result<()> {
    let publish = async |connection: &mut PgConnection| {
        let version = lock_version(connection).await?;
        if let Err(error) = cache::publish_change(redis, version).await {
            warn!(%error, "catalogue version not told to Redis; readers will learn it from Postgres");
        }
        Ok(())
    };
    database.transaction(publish).await
}

async fn lock_version(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query!("select set_config('lock_timeout', $1, true) as patience", PATIENCE)
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query_scalar!("select version from catalogue_versions for update").fetch_one(connection).await
}

/// Versions are timestamps in milliseconds, so that no two databases share one: a restored or new database finds
/// entries of its predecessor in Redis, and must never read them.
async fn advance_version(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        update catalogue_versions
        set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
        returning version
        "#
    )
    .fetch_one(connection)
    .await
}

//! The version protocol of the catalogue: why no cached read is ever stale.
//!
//! Every cached entry carries the version that it was made from, and a read accepts it only together with that version, in one
//! round trip to Redis. A change
//!
//! 1. locks the version row, so that changes happen one after another;
//! 2. writes its rows and advances the version;
//! 3. tells Redis that the catalogue is changing: from here on nothing cached is served;
//! 4. commits;
//! 5. tells Redis the new version, with the row locked again, so that a slower change cannot tell an older one later.
//!
//! Killed before 4, the change never happened, and Redis forgets the announcement after a minute; killed after 4, readers learn
//! the version from Postgres then. Without Redis there is no change: old prices could come back with Redis.

use sqlx::PgConnection;
use tracing::warn;

use crate::{
    cache,
    database::Database,
    redis::{Error as RedisError, Redis},
};

/// The longest wait for another change, such as an import.
const PATIENCE: &str = "30s";

/// Runs a change of the catalogue or the shop, which says whether it changed anything; answers its value and the version that
/// now holds. The next public read shows the change, and the next booking charges its prices.
pub async fn change<T, E: From<sqlx::Error> + From<RedisError>>(
    database: &Database,
    redis: &Redis,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<(T, bool), E>,
) -> Result<(T, i64), E> {
    let change = async |connection: &mut PgConnection| {
        let before = lock_version(connection).await?;
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

/// Tells Redis the version of this database, or leaves that to the readers if Redis is away. Entries of another version, or of
/// a database that this one replaces, are unreachable from then on.
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

/// Milliseconds of the clock, so that no two databases count alike: one that was restored, or made anew, finds entries of its
/// predecessor in Redis and must not take them for its own.
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

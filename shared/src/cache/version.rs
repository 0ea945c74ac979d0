//! The version of the catalogue in Redis, which makes older entries unreachable.

use std::time::Duration;

use redis::Pipeline;
use sqlx::PgPool;

use super::HOUR;
use crate::redis::{self as link, Redis};

/// The key.
pub(super) const VERSION: &str = "catalogue:version";
/// Replaces the version while a change is being committed.
pub(super) const CHANGING: &str = "changing";
/// Expiry of [`CHANGING`], after which the next reader asks Postgres for the version. Longer than any change takes and
/// than any reader that began before it lives.
const CHANGE_TIMEOUT: Duration = Duration::from_mins(1);

/// Makes every entry unreachable until [`publish_change`]. Without Redis a change has to wait: otherwise stale prices
/// would be served once Redis is back.
pub async fn announce_change(redis: &Redis) -> Result<(), link::Error> {
    set_version(redis, CHANGING, CHANGE_TIMEOUT).await
}

/// Sets the new version. If this fails, readers learn it from Postgres a little later.
pub async fn publish_change(redis: &Redis, version: i64) -> Result<(), link::Error> {
    set_version(redis, version, HOUR).await
}

async fn set_version(redis: &Redis, version: impl redis::ToRedisArgs, lifetime: Duration) -> Result<(), link::Error> {
    let mut commands = Pipeline::new();
    commands.cmd("SET").arg(redis.key([VERSION])).arg(version).arg("PX").arg(milliseconds(lifetime)).ignore();
    redis.run(&commands).await
}

pub(super) async fn current_version(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!("select version from catalogue_versions").fetch_one(pool).await
}

/// For commands that take milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! Migration while the tables are in use.

use std::borrow::Cow;

use serde_json::json;
use shared::database::MIGRATOR;
use sqlx::{PgPool, migrate::Migrator};

use crate::{app, handle};

/// Applies the migrations of a release before `version`.
async fn release_before(version: i64, pool: &PgPool) {
    let older = MIGRATOR.iter().filter(|migration| migration.version < version).cloned().collect();
    let older = Migrator { migrations: Cow::Owned(older), ..Migrator::DEFAULT };
    older.run(pool).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn a_migration_that_waits_too_long_for_a_busy_table_is_tried_again(pool: PgPool) {
    let alters_bookings = 20_261_128_110_000;
    release_before(alters_bookings, &pool).await;
    let mut reader = pool.begin().await.unwrap();
    sqlx::query("select from bookings").execute(&mut *reader).await.unwrap();
    let app = app(&pool);
    let migrating = handle(&app, json!({ "action": "migrate" }));
    let reading = async {
        testing::a_lock_is_waited_for(&pool).await;
        // The first attempt gives up, so that queries behind it get through.
        let lock = "select exists (select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock')";
        let is_over = async || !sqlx::query_scalar::<_, bool>(lock).fetch_one(&pool).await.unwrap();
        testing::eventually("the attempt ends", is_over).await;
        testing::a_lock_is_waited_for(&pool).await;
        reader.rollback().await.unwrap();
    };
    let (migrated, ()) = tokio::join!(migrating, reading);
    let all: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    assert_eq!(migrated.unwrap()["applied"], json!(all));
}

#[sqlx::test(migrations = false)]
async fn an_index_that_an_ended_migration_left_unfinished_is_dropped(pool: PgPool) {
    let app = app(&pool);
    handle(&app, json!({ "action": "migrate" })).await.unwrap();
    let build =
        "create unique index concurrently of_a_killed_migration on catalogue_versions ((1 / (version - version)))";
    assert!(sqlx::raw_sql(build).execute(&pool).await.is_err());
    let left = "select count(*) from pg_class where relname = 'of_a_killed_migration'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await.unwrap(), 1);
    handle(&app, json!({ "action": "migrate" })).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await.unwrap(), 0);
}

//! Migration of the schema while the system is used: short waits for locks, repeated.

use std::time::Duration;

use shared::database::MIGRATOR;
use sqlx::{
    PgConnection,
    migrate::{Migrate, MigrateError, Migrator},
};
use tracing::warn;

use crate::{Error, roles::Roles};

/// Pauses after attempts that waited too long for a lock. Queries queue up behind a waiting migration, so each attempt is
/// short, and the pauses let them through.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(30),
];
/// Pause between attempts to be the only one who migrates.
const TURN: Duration = Duration::from_millis(200);

/// The versions of all migrations in the database, and of those that were applied now.
pub(crate) struct Migrated {
    pub(crate) applied: Vec<i64>,
    pub(crate) added: Vec<i64>,
}

/// Applies pending migrations, and grants the roles what exists.
pub(crate) async fn migrate(connection: &mut PgConnection, roles: &Roles) -> Result<Migrated, Error> {
    // Postgres 14 and newer: a statement that is abandoned on timeout then ends on the server too, and releases its
    // locks. A migration may take longer than any statement of a function.
    sqlx::query!(
        "
        select set_config(name, setting.value, false)
        from (values ('client_connection_check_interval', '1000'), ('statement_timeout', '0'),
            ('idle_session_timeout', '0')) as setting (name, value)
        join pg_settings using (name)
        "
    )
    .fetch_all(&mut *connection)
    .await?;
    take_turn(connection).await?;
    sqlx::query!("select set_config('lock_timeout', '3s', false)").fetch_one(&mut *connection).await?;
    let before = applied(connection).await?;
    // Migrations only add, so after a rollback the old code works with the newer schema.
    let migrator = Migrator { migrations: MIGRATOR.migrations.clone(), ignore_missing: true, ..Migrator::DEFAULT };
    let mut pauses = PAUSES.into_iter();
    loop {
        drop_unfinished_indexes(connection).await?;
        match (migrator.run(&mut *connection).await, pauses.next()) {
            (Ok(()), _) => break,
            (Err(MigrateError::ExecuteMigration(error, version)), Some(pause)) if may_be_repeated(&error) => {
                warn!(version, %error, pause = pause.as_secs(), "a migration waited too long for a lock");
                tokio::time::sleep(pause).await;
            }
            (Err(error), _) => return Err(error.into()),
        }
    }
    roles.apply(connection).await?;
    let applied = applied(connection).await?;
    let added = applied.iter().copied().filter(|version| !before.contains(version)).collect();
    Ok(Migrated { applied, added })
}

/// Waits until no other session migrates. The lock ends with the connection. It is tried again and again instead of waited
/// for: an index that is built concurrently waits for every statement that runs, also for one that waits for this lock.
async fn take_turn(connection: &mut PgConnection) -> Result<(), Error> {
    loop {
        let is_ours = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock(hashtext('repairmybike'), hashtext('migrate')) as "is_ours!""#
        )
        .fetch_one(&mut *connection)
        .await?;
        if is_ours {
            return Ok(());
        }
        tokio::time::sleep(TURN).await;
    }
}

/// An index that was being built concurrently when its migration ended: it is of no use, and in the way of the next
/// attempt.
async fn drop_unfinished_indexes(connection: &mut PgConnection) -> Result<(), Error> {
    let unfinished = sqlx::query_scalar!(
        r#"
        select format('drop index if exists %s', indexrelid::regclass) as "statement!"
        from pg_index join pg_class on pg_class.oid = indexrelid
        where not indisvalid and relkind = 'i' and relnamespace = 'public'::regnamespace
        "#
    )
    .fetch_all(&mut *connection)
    .await?;
    for statement in unfinished {
        sqlx::raw_sql(&statement).execute(&mut *connection).await?;
    }
    Ok(())
}

fn may_be_repeated(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // lock_not_available; deadlock_detected.
    code.is_some_and(|code| ["55P03", "40P01"].contains(&code.as_ref()))
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<i64>, Error> {
    connection.ensure_migrations_table().await?;
    let applied = connection.list_applied_migrations().await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

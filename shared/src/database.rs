//! Postgres: one lazy connection per function, healed when the network or a freeze has broken it.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sqlx::{
    Connection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::config;

/// The schema, embedded so that the `migrate` function needs no files.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Within this time a connection is made or the request fails; it leaves room for an answer within 5 s.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that rested longer may have been cut while the environment was frozen, so it is asked first.
const REST_WITHOUT_PING: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_millis(250);

/// The way to Postgres. Clones share it. Nothing is connected before the first query.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Arc<RwLock<PgPool>>,
}

impl Database {
    /// Reads `DATABASE_URL`, a `postgres://` URL.
    pub fn from_env() -> Result<Self, config::Error> {
        let options = config::required(config::DATABASE_URL)?.parse().map_err(|_| config::DATABASE_URL.invalid())?;
        Ok(Self::new(options))
    }

    /// A lazy pool of one connection: a Lambda environment serves one request at a time.
    pub fn new(options: PgConnectOptions) -> Self {
        Self { pool: Arc::new(RwLock::new(lazy_pool(options))) }
    }

    /// The pool to run a query on.
    pub fn pool(&self) -> PgPool {
        self.pool.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins a transaction that neither waits long for a lock nor, should this process be frozen inside it, holds
    /// locks for long. `set local` travels with `begin` in one round trip and does not pin an RDS Proxy connection.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        const BEGIN: &str =
            "begin; set local lock_timeout = '3s'; set local idle_in_transaction_session_timeout = '10s'";
        match self.pool().begin_with(BEGIN).await {
            // Nothing has been done yet, so a connection that a restart of Postgres cut may be replaced unseen.
            Err(error) if is_lost(&error) => self.pool().begin_with(BEGIN).await,
            begun => begun,
        }
    }

    /// Whether it answers.
    pub async fn is_ready(&self) -> bool {
        sqlx::query_scalar!("select 1 as one").fetch_one(&self.pool()).await.is_ok()
    }

    /// Leaves the pool with its connection behind and starts a new one. For a connection on which an answer never
    /// came: the pool waits for it without limit before it lends it again.
    pub fn renew(&self) {
        let mut pool = self.pool.write().unwrap_or_else(PoisonError::into_inner);
        *pool = lazy_pool((*pool.connect_options()).clone());
    }
}

impl From<PgPool> for Database {
    fn from(pool: PgPool) -> Self {
        Self { pool: Arc::new(RwLock::new(pool)) }
    }
}

/// Whether the connection on which this happened is gone, so that another may do.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // The server shuts down, or has just come back from a crash.
        sqlx::Error::Database(source) => source.code().is_some_and(|code| ["57P01", "57P02"].contains(&code.as_ref())),
        _ => false,
    }
}

fn lazy_pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .min_connections(0)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for < REST_WITHOUT_PING {
                    return Ok(true);
                }
                Ok(matches!(tokio::time::timeout(PING_TIMEOUT, connection.ping()).await, Ok(Ok(()))))
            })
        })
        .connect_lazy_with(options)
}

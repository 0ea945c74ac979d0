//! Postgres: one lazy connection per function, healed when the network or a freeze has broken it, or its password has
//! changed.

mod certificates;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use tracing::warn;

use crate::config::{self, Live, Settings};

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
    options: Live<PgConnectOptions>,
    link: Arc<RwLock<Link>>,
}

#[derive(Debug)]
struct Link {
    pool: PgPool,
    /// With which the pool makes its next connection.
    options: Arc<PgConnectOptions>,
}

impl Database {
    /// Reads `DATABASE_URL`, a `postgres://` URL. Who connects may stand in the secret of `DATABASE_SECRET_ID`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let options = settings.live(|values| {
            let options: PgConnectOptions = values.url(config::DATABASE_URL, config::DATABASE_SECRET_ID)?;
            Ok(match certificates::authorities(options.get_host()) {
                Some(authorities) => options.ssl_root_cert_from_pem(authorities.into_bytes()),
                None => options,
            })
        })?;
        let present = options.get()?;
        Ok(Self::over(lazy_pool((*present).clone()), options, present))
    }

    /// A lazy pool of one connection: a Lambda environment serves one request at a time.
    pub fn new(options: PgConnectOptions) -> Self {
        Self::from(lazy_pool(options))
    }

    fn over(pool: PgPool, options: Live<PgConnectOptions>, present: Arc<PgConnectOptions>) -> Self {
        Self { options, link: Arc::new(RwLock::new(Link { pool, options: present })) }
    }

    /// The pool to run a query on.
    pub fn pool(&self) -> PgPool {
        let link = self.link.read().unwrap_or_else(PoisonError::into_inner);
        let newer = self.options.get().ok().filter(|options| !Arc::ptr_eq(options, &link.options));
        let pool = link.pool.clone();
        drop(link);
        if let Some(options) = newer {
            // A connection that is open stays: Postgres asks for a password only once.
            pool.set_connect_options((*options).clone());
            self.link.write().unwrap_or_else(PoisonError::into_inner).options = options;
        }
        pool
    }

    /// Begins a transaction that neither waits long for a lock nor, should this process be frozen inside it, holds
    /// locks for long. `set local` travels with `begin` in one round trip and does not pin an RDS Proxy connection.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        const BEGIN: &str =
            "begin; set local lock_timeout = '3s'; set local idle_in_transaction_session_timeout = '10s'";
        // Nothing has been done yet, so a connection that a restart of Postgres cut may be replaced unseen.
        self.read(|pool| async move { pool.begin_with(BEGIN).await }).await
    }

    /// Runs `work` in a transaction: commits if it succeeds, rolls back if it fails. Either end is awaited, because a frozen
    /// environment must keep no lock. Nothing else is awaited inside, such as Descope or Razorpay, unless the caller says why.
    pub async fn transaction<T, E: From<sqlx::Error>>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut transaction = self.begin().await?;
        match work(&mut transaction).await {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                if let Err(lost) = transaction.rollback().await {
                    warn!(error = %lost, "a transaction was not rolled back; Postgres does so when the connection ends");
                }
                Err(error)
            }
        }
    }

    /// Runs a query that may be repeated, once more if the connection was lost or our password has changed. For queries
    /// of requests that cannot be run again as a whole.
    pub async fn read<T, F>(&self, query: impl Fn(PgPool) -> F) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let answer = match query(self.pool()).await {
            Err(error) if is_lost(&error) => query(self.pool()).await,
            answer => answer,
        };
        match answer {
            Err(error) if self.may_now_let_in(&error).await => query(self.pool()).await,
            answer => answer,
        }
    }

    /// Whether Postgres refused our user or password, and there is another now: what failed so has done nothing.
    pub async fn may_now_let_in(&self, error: &sqlx::Error) -> bool {
        is_refused(error) && self.renew_login().await
    }

    /// Looks for another user or password than those that were refused; `true` if there is one.
    pub(crate) async fn renew_login(&self) -> bool {
        let refused = Arc::clone(&self.link.read().unwrap_or_else(PoisonError::into_inner).options);
        self.options.instead_of(&refused).await.is_some()
    }

    /// Whether it answers.
    pub async fn is_ready(&self) -> bool {
        let one = |pool| async move { sqlx::query_scalar!("select 1 as one").fetch_one(&pool).await };
        self.read(one).await.is_ok()
    }

    /// Leaves the pool with its connection behind and starts a new one. For a connection on which an answer never
    /// came: the pool waits for it without limit before it lends it again.
    pub fn renew(&self) {
        let mut link = self.link.write().unwrap_or_else(PoisonError::into_inner);
        link.pool = lazy_pool((*link.options).clone());
    }
}

impl From<PgPool> for Database {
    fn from(pool: PgPool) -> Self {
        let options = pool.connect_options();
        Self::over(pool, Live::fixed(Arc::clone(&options)), options)
    }
}

/// What of the way to Postgres was lost with a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The one connection: a new one may do.
    Connection,
    /// User or password were refused: they may have changed.
    Login,
    /// No connection could be had: the pool may be waiting for one that never answers.
    Pool,
}

impl Lost {
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::PoolTimedOut => Some(Self::Pool),
            error if is_lost(error) => Some(Self::Connection),
            error if is_refused(error) => Some(Self::Login),
            _ => None,
        }
    }
}

/// Whether Postgres is unreachable or overloaded, so that the same request may succeed later.
pub(crate) fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Connection, idle in a transaction for too long, authorisation, rollback (deadlock), resources, cancelled or not
        // available, shutdown.
        sqlx::Error::Database(source) => source.code().is_some_and(|code| {
            ["08", "25P03", "28", "3D", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

/// Whether the connection on which this happened is gone, so that another may do.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // The server shuts down, or has just come back from a crash.
        sqlx::Error::Database(source) => source.code().is_some_and(|code| ["57P01", "57P02"].contains(&code.as_ref())),
        _ => false,
    }
}

/// Whether Postgres did not let us in.
fn is_refused(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // invalid_password; invalid_authorization_specification.
    code.is_some_and(|code| ["28P01", "28000"].contains(&code.as_ref()))
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

//! Postgres: one lazy connection per function, replaced after a network failure, a freeze of the environment or a
//! password change.

mod certificates;
mod failures;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use tracing::warn;

pub(crate) use failures::{Lost, is_unavailable};
use failures::{is_lost, is_read_only, is_refused};

use crate::config::{self, Live, Settings};

/// The schema, embedded so that the `migrate` function needs no files.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Declares an enum that Postgres keeps as `text`. By `type_name`, each new connection would ask Postgres which type that is.
macro_rules! kept_as_text {
    ($name:ty) => {
        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <str as sqlx::Type<sqlx::Postgres>>::type_info()
            }

            fn compatible(known: &sqlx::postgres::PgTypeInfo) -> bool {
                <str as sqlx::Type<sqlx::Postgres>>::compatible(known)
            }
        }

        impl sqlx::postgres::PgHasArrayType for $name {
            fn array_type_info() -> sqlx::postgres::PgTypeInfo {
                <&str as sqlx::postgres::PgHasArrayType>::array_type_info()
            }
        }
    };
}
pub(crate) use kept_as_text;

/// Leaves room for an answer within 5 s.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle longer may have been cut while the environment was frozen, so it is pinged first.
const REST_WITHOUT_PING: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_millis(250);
/// For ending a connection that is given up; together with the deadline of a request still below 5 s.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(400);

/// A handle to Postgres. Clones share its connection, which is opened by the first query.
#[derive(Clone, Debug)]
pub struct Database {
    options: Live<PgConnectOptions>,
    kind: Kind,
    /// `application_name` of the connections of this handle and its clones, and of no others.
    name: Arc<str>,
    link: Arc<RwLock<Link>>,
}

/// How long a statement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// As the database role says.
    Request,
    /// At most so long, for work that no caller waits for.
    Work(Duration),
}

#[derive(Debug)]
struct Link {
    pool: PgPool,
    /// Whether the pool was made here, so that it may be closed here.
    is_own: bool,
    /// For the pool's next connection.
    options: Arc<PgConnectOptions>,
}

impl Database {
    /// Reads `DATABASE_URL`, a `postgres://` URL. User and password may come from the secret of `DATABASE_SECRET_ID`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let options = settings.live(|values| {
            let options: PgConnectOptions = values.url(config::DATABASE_URL, config::DATABASE_SECRET_ID)?;
            Ok(match certificates::authorities(options.get_host()) {
                Some(authorities) => options.ssl_root_cert_from_pem(authorities.into_bytes()),
                None => options,
            })
        })?;
        let present = options.get()?;
        Ok(Self::own(Kind::Request, options, present))
    }

    /// The same database for work that no caller waits for: a statement may take so long, instead of what the role of a
    /// request allows.
    #[must_use]
    pub fn patient(&self, statement_timeout: Duration) -> Self {
        let options = Arc::clone(&self.link.read().unwrap_or_else(PoisonError::into_inner).options);
        Self::own(Kind::Work(statement_timeout), self.options.clone(), options)
    }

    /// A lazy pool of one connection: a Lambda environment serves one request at a time.
    pub fn new(options: PgConnectOptions) -> Self {
        let options = Arc::new(options);
        Self::own(Kind::Request, Live::fixed(Arc::clone(&options)), options)
    }

    fn own(kind: Kind, options: Live<PgConnectOptions>, present: Arc<PgConnectOptions>) -> Self {
        let name = name(&present);
        let link = Link { pool: kind.pool(named(&present, &name)), is_own: true, options: present };
        Self { options, kind, name, link: Arc::new(RwLock::new(link)) }
    }

    /// Opens the connection as soon as the secrets are read, for functions whose first request needs it after something
    /// else. If this fails, the first query connects.
    pub fn open_early(&self, settings: &Settings) {
        let (database, settings) = (self.clone(), settings.clone());
        tokio::spawn(async move {
            settings.ready().await;
            drop(database.pool().acquire().await);
        });
    }

    /// The pool, with the newest options for its next connection.
    pub fn pool(&self) -> PgPool {
        let link = self.link.read().unwrap_or_else(PoisonError::into_inner);
        let newer = self.options.get().ok().filter(|options| !Arc::ptr_eq(options, &link.options));
        let pool = link.pool.clone();
        drop(link);
        if let Some(options) = newer {
            // An open connection stays valid: Postgres checks the password only when it connects.
            pool.set_connect_options(named(&options, &self.name));
            self.link.write().unwrap_or_else(PoisonError::into_inner).options = options;
        }
        pool
    }

    /// Begins a transaction that does not wait long for a lock, nor hold locks for long if the environment is frozen
    /// inside it. `set local` travels with `begin` in one round trip and does not pin an RDS Proxy connection.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        const BEGIN: &str =
            "begin; set local lock_timeout = '3s'; set local idle_in_transaction_session_timeout = '10s'";
        // Nothing has been done yet, so a retry is safe if a restart of Postgres cut the connection.
        self.read(|pool| async move { pool.begin_with(BEGIN).await }).await
    }

    /// Runs `work` in a transaction: commits if it succeeds, rolls back if it fails. Both are awaited, because a frozen
    /// environment must not hold locks. `work` awaits no other service, such as Descope or Razorpay, unless the caller
    /// says why.
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

    /// Runs reads of one snapshot, each planned for its own values: a generic plan cannot suit every filter of a list.
    /// The transaction is read-only, so it ends in a rollback; awaited, because a frozen environment must not hold a
    /// transaction open.
    pub async fn planned_anew<T, E: From<sqlx::Error>>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        const BEGIN: &str =
            "begin isolation level repeatable read read only; set local plan_cache_mode = force_custom_plan";
        let mut transaction = self.pool().begin_with(BEGIN).await?;
        let found = work(&mut transaction).await;
        transaction.rollback().await?;
        found
    }

    /// Runs a query that is safe to repeat, and retries it once if the connection was lost or our password has changed.
    /// For requests that cannot be retried as a whole.
    pub async fn read<T, F>(&self, query: impl Fn(PgPool) -> F) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let answer = match query(self.pool()).await {
            Err(error) if is_lost(&error) => {
                self.mend(&error);
                query(self.pool()).await
            }
            answer => answer,
        };
        match answer {
            Err(error) if self.may_now_let_in(&error).await => query(self.pool()).await,
            answer => answer,
        }
    }

    /// Gives up a connection whose server takes no more writes. The pool replaces one that is gone by itself.
    pub fn mend(&self, error: &sqlx::Error) {
        if is_read_only(error) {
            self.renew();
        }
    }

    /// Whether Postgres refused our user or password and another is known by now. Retrying is safe: the refused query
    /// has done nothing.
    pub async fn may_now_let_in(&self, error: &sqlx::Error) -> bool {
        is_refused(error) && self.renew_login().await
    }

    /// Looks for a user or password other than the refused ones; `true` if there is one.
    pub(crate) async fn renew_login(&self) -> bool {
        let refused = Arc::clone(&self.link.read().unwrap_or_else(PoisonError::into_inner).options);
        self.options.instead_of(&refused).await.is_some()
    }

    /// Whether Postgres answers.
    pub async fn is_ready(&self) -> bool {
        let one = |pool| async move { sqlx::query_scalar!("select 1 as one").fetch_one(&pool).await };
        self.read(one).await.is_ok()
    }

    /// Gives up the pool with its connection and starts a new one. For a connection that never answered: the pool waits
    /// for the answer without a timeout before it lends the connection again. For one to a server that takes no more
    /// writes, too.
    pub fn renew(&self) -> GivenUp {
        let mut link = self.link.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = self.kind.pool(named(&link.options, &self.name));
        let old = std::mem::replace(&mut link.pool, fresh.clone());
        if !std::mem::replace(&mut link.is_own, true) {
            return GivenUp(None);
        }
        // Closed from here on, even if the future is not awaited.
        drop(old.close());
        GivenUp(Some((fresh, Arc::clone(&self.name))))
    }
}

impl From<PgPool> for Database {
    fn from(pool: PgPool) -> Self {
        let options = pool.connect_options();
        let link = Link { pool, is_own: false, options: Arc::clone(&options) };
        Self {
            name: name(&options),
            options: Live::fixed(options),
            kind: Kind::Request,
            link: Arc::new(RwLock::new(link)),
        }
    }
}

/// A connection that [`Database::renew`] has given up: the pool that replaces it, and its `application_name`.
#[derive(Debug)]
pub struct GivenUp(Option<(PgPool, Arc<str>)>);

impl GivenUp {
    /// Ends the connection in Postgres, with the statement that still runs there. Does not wait long. Call it once what
    /// used the connection is dropped, and before the answer: the environment may be frozen after it.
    ///
    /// Postgres is told over the new connection. To close the old one is not enough: over TLS, sqlx closes a socket only
    /// when the server has answered, and `client_connection_check_interval` needs a closed socket.
    pub async fn close(self) {
        let Some((fresh, name)) = self.0 else { return };
        // Postgres looks every 100 ms whether the other one is gone.
        let end = sqlx::query!(
            r#"
            select pg_terminate_backend(pid, 250) as "is_ended!" from pg_stat_activity
            where application_name = $1 and usename = current_user and pid <> pg_backend_pid()
            "#,
            &*name
        )
        .fetch_all(&fresh);
        match tokio::time::timeout(CLOSE_TIMEOUT, end).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => warn!(%error, "a connection that was given up was not ended"),
            Err(_) => warn!("a connection that was given up was not ended in time"),
        }
    }
}

/// An `application_name` for one handle: the configured one, and what no other environment has.
fn name(options: &PgConnectOptions) -> Arc<str> {
    let base = options.get_application_name().unwrap_or("repairmybike");
    // Seeded by the operating system.
    let random = RandomState::new().build_hasher().finish();
    format!("{base}-{random:016x}").into()
}

fn named(options: &PgConnectOptions, name: &str) -> PgConnectOptions {
    options.clone().application_name(name)
}

impl Kind {
    /// A lazy pool of one connection.
    fn pool(self, options: PgConnectOptions) -> PgPool {
        let pool = PgPoolOptions::new()
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
            });
        let pool = match self {
            Self::Request => pool,
            // Pins a connection of RDS Proxy, of which each job has one anyway.
            Self::Work(limit) => pool.after_connect(move |connection, _| {
                Box::pin(async move {
                    let limit = limit.as_millis().to_string();
                    sqlx::query!("select set_config('statement_timeout', $1, false)", limit)
                        .fetch_one(connection)
                        .await
                        .map(drop)
                })
            }),
        };
        pool.connect_lazy_with(options)
    }
}

//! Redis: one lazy connection that is rebuilt after a failure, and that nobody waits for while Redis is away.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError,
    aio::MultiplexedConnection,
};
use tokio::sync::Mutex;

use crate::config;

const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(200);
/// After a failure Redis is left alone for this long, so that a dead one does not slow every request down.
const PAUSE: Duration = Duration::from_secs(1);

/// Why Redis did not answer. Whoever asked goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It failed a moment ago and is not asked for a while.
    #[error("redis failed a moment ago")]
    Paused,
    /// No answer in time.
    #[error("redis did not answer in time")]
    Timeout,
    /// An error of the connection or of the command.
    #[error(transparent)]
    Failed(#[from] RedisError),
}

/// The way to Redis. Clones share the connection. Nothing is connected before the first command.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    key_prefix: String,
    link: Arc<Mutex<Link>>,
}

#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    paused_until: Option<Instant>,
}

impl Redis {
    /// Reads `REDIS_URL` (`redis://` or `rediss://`) and `REDIS_KEY_PREFIX`.
    pub fn from_env() -> Result<Self, config::Error> {
        let url = config::required(config::REDIS_URL)?;
        let prefix = config::optional(config::REDIS_KEY_PREFIX).unwrap_or_default();
        Self::new(&url, prefix).map_err(|_| config::REDIS_URL.invalid())
    }

    /// A connection to be made at need; every key starts with `key_prefix`.
    pub fn new(url: &str, key_prefix: impl Into<String>) -> Result<Self, RedisError> {
        let info = url.into_connection_info()?;
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            // The client brings no TLS provider of its own. An error means that one is installed already.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        Ok(Self { client: Client::open(info)?, key_prefix: key_prefix.into(), link: Arc::default() })
    }

    /// The name of a key as this application uses it.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.key_prefix)
    }

    /// Sends the commands in one round trip. After a lost connection they are sent once more over a new one, so they
    /// must be safe to repeat.
    pub async fn run<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, Error> {
        match self.attempt(commands).await {
            Err(error) if is_lost(&error) => {
                let again = self.attempt(commands).await;
                if again.as_ref().is_err_and(is_lost) {
                    self.link.lock().await.paused_until = Some(Instant::now() + PAUSE);
                }
                again
            }
            answer => answer,
        }
    }

    /// Whether it answers.
    pub async fn is_ready(&self) -> bool {
        let mut commands = Pipeline::new();
        commands.cmd("PING").ignore();
        self.run::<()>(&commands).await.is_ok()
    }

    async fn attempt<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, Error> {
        let mut connection = self.connection().await?;
        let answer = tokio::time::timeout(RESPONSE_TIMEOUT, commands.query_async(&mut connection)).await;
        let answer = answer.map_err(|_| Error::Timeout).and_then(|answer| answer.map_err(Error::Failed));
        if answer.as_ref().is_err_and(is_lost) {
            // A black-holed connection never reports an error by itself: only a new one helps.
            self.link.lock().await.connection = None;
        }
        answer
    }

    async fn connection(&self) -> Result<MultiplexedConnection, Error> {
        let mut link = self.link.lock().await;
        if let Some(connection) = &link.connection {
            return Ok(connection.clone());
        }
        if link.paused_until.is_some_and(|until| Instant::now() < until) {
            return Err(Error::Paused);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => {
                link.paused_until = None;
                Ok(link.connection.insert(connection).clone())
            }
            Ok(Err(error)) => {
                link.paused_until = Some(Instant::now() + PAUSE);
                Err(Error::Failed(error))
            }
            Err(_) => {
                link.paused_until = Some(Instant::now() + PAUSE);
                Err(Error::Timeout)
            }
        }
    }
}

impl std::fmt::Debug for Redis {
    // The client's own form shows the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redis").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

fn is_lost(error: &Error) -> bool {
    match error {
        Error::Timeout => true,
        Error::Failed(error) => error.is_io_error() || error.is_timeout() || error.is_connection_dropped(),
        Error::Paused => false,
    }
}

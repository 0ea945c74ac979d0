//! Redis: one lazy connection, rebuilt after a failure. During an outage commands fail at once instead of waiting.

use std::{
    borrow::Borrow,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt, stream};
use redis::{
    AsyncConnectionConfig, BasicAuth, Client, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline,
    RedisError, RedisResult, StreamingCredentialsProvider, TlsCertificates, aio::MultiplexedConnection,
};
use tokio::sync;

use crate::{
    config::{self, Live, Settings},
    metrics::{self, Count},
};

const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_millis(200);
/// No connection is attempted for this long after a failure, so that an outage does not slow every request down.
const PAUSE: Duration = Duration::from_secs(1);

/// Why Redis did not answer. Callers go on without it where they can.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis failed a moment ago: it is not asked during the pause.
    #[error("redis failed a moment ago")]
    Paused,
    /// A setting is missing or invalid.
    #[error(transparent)]
    Unset(#[from] config::Error),
    /// An error of the connection or of the command.
    #[error(transparent)]
    Failed(#[from] RedisError),
}

/// A handle to Redis. Clones share its connection, which is opened by the first command.
#[derive(Clone)]
pub struct Redis {
    client: Live<Client>,
    key_prefix: Arc<str>,
    link: Arc<sync::Mutex<Link>>,
}

#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    paused_until: Option<Instant>,
}

impl Redis {
    /// Reads `REDIS_URL` (`redis://` or `rediss://`) and `REDIS_KEY_PREFIX`. User and password may come from the secret
    /// of `REDIS_SECRET_ID`.
    pub fn from_settings(settings: &Settings) -> Result<Self, config::Error> {
        let prefix = config::optional(config::REDIS_KEY_PREFIX).unwrap_or_default();
        let client = settings.live(|values| {
            let url: String = values.url(config::REDIS_URL, config::REDIS_SECRET_ID)?;
            client(&url, None).map_err(|_| config::REDIS_URL.invalid())
        })?;
        client.get()?;
        Ok(Self { client, key_prefix: prefix.into(), link: Arc::default() })
    }

    /// A lazy connection; every key starts with `key_prefix`.
    pub fn new(url: &str, key_prefix: impl Into<Arc<str>>) -> Result<Self, RedisError> {
        Ok(Self { client: Live::fixed(client(url, None)?), key_prefix: key_prefix.into(), link: Arc::default() })
    }

    /// As [`Self::new`], for a server whose certificate is signed by this authority (PEM) instead of a public one.
    pub fn trusting(authority: &str, url: &str, key_prefix: impl Into<Arc<str>>) -> Result<Self, RedisError> {
        let client = Live::fixed(client(url, Some(authority))?);
        Ok(Self { client, key_prefix: key_prefix.into(), link: Arc::default() })
    }

    /// Opens the connection while the secrets are read, for functions whose first request asks Redis: only the login waits
    /// for its password. If this fails, the first command connects.
    pub fn open_early(&self, settings: &Settings) {
        if !settings.names(config::REDIS_SECRET_ID) {
            return;
        }
        let (redis, settings) = (self.clone(), settings.clone());
        tokio::spawn(async move {
            // Locked meanwhile: the first command waits for this connection.
            let mut link = redis.link.lock().await;
            let Ok(client) = redis.client.get() else { return };
            let login = Login(Mutex::new(Some((settings.clone(), redis.client.clone()))));
            let config = config().set_connection_timeout(None).set_credentials_provider(login);
            let in_time = async {
                settings.ready().await;
                tokio::time::sleep(CONNECT_TIMEOUT).await;
            };
            tokio::select! {
                // In this order, and no pause if it is too late: after a freeze of the environment both are due.
                biased;
                made = client.get_multiplexed_async_connection_with_config(&config) => drop(link.keep(made)),
                () = in_time => {}
            }
        });
    }

    /// The name of a key from its parts, with the prefix.
    pub fn key<const N: usize>(&self, parts: [&str; N]) -> String {
        let mut key = String::with_capacity(self.key_prefix.len() + parts.iter().map(|part| part.len()).sum::<usize>());
        key.push_str(&self.key_prefix);
        key.extend(parts);
        key
    }

    /// Sends the commands in one round trip. After a lost connection they are sent once more over a new one, so they
    /// must be safe to repeat. They are also retried if our password is refused and another is known by now.
    pub async fn run<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, Error> {
        self.run_or(commands, || commands).await
    }

    /// As [`Self::run`], for commands of which some must not be repeated: after a lost connection `again` is sent instead.
    pub async fn run_or<T: FromRedisValue, P: Borrow<Pipeline>>(
        &self,
        commands: &Pipeline,
        again: impl FnOnce() -> P,
    ) -> Result<T, Error> {
        let client = self.client.get()?;
        let mut answer = self.attempt(&client, commands).await;
        if answer.as_ref().is_err_and(is_lost) {
            answer = self.attempt(&client, again().borrow()).await;
        }
        if answer.as_ref().is_err_and(is_refused)
            && let Some(client) = self.client.instead_of(&client).await
        {
            answer = self.attempt(&client, commands).await;
        }
        if answer.as_ref().is_err_and(|error| is_lost(error) || is_refused(error)) {
            self.link.lock().await.paused_until = Some(Instant::now() + PAUSE);
        }
        if answer.as_ref().is_err_and(|error| matches!(error, Error::Paused) || is_lost(error) || is_refused(error)) {
            metrics::count(Count::RedisAway);
        }
        answer
    }

    /// Whether Redis answers.
    pub async fn is_ready(&self) -> bool {
        let mut commands = Pipeline::new();
        commands.cmd("PING").ignore();
        self.run::<()>(&commands).await.is_ok()
    }

    async fn attempt<T: FromRedisValue>(&self, client: &Client, commands: &Pipeline) -> Result<T, Error> {
        let mut connection = self.connection(client).await?;
        let answer = commands.query_async(&mut connection).await.map_err(Error::Failed);
        if answer.as_ref().is_err_and(|error| is_lost(error) || is_refused(error)) {
            // A black-holed connection never reports an error by itself: only a new one helps.
            self.link.lock().await.connection = None;
        }
        answer
    }

    async fn connection(&self, client: &Client) -> Result<MultiplexedConnection, Error> {
        let mut link = self.link.lock().await;
        if let Some(connection) = &link.connection {
            return Ok(connection.clone());
        }
        if link.paused_until.is_some_and(|until| Instant::now() < until) {
            return Err(Error::Paused);
        }
        let config = config().set_connection_timeout(Some(CONNECT_TIMEOUT));
        link.keep(client.get_multiplexed_async_connection_with_config(&config).await)
    }
}

impl Link {
    /// Keeps a connection, or pauses because there is none.
    fn keep(&mut self, made: RedisResult<MultiplexedConnection>) -> Result<MultiplexedConnection, Error> {
        match made.map_err(Error::Failed) {
            Ok(connection) => {
                self.paused_until = None;
                Ok(self.connection.insert(connection).clone())
            }
            Err(error) => {
                if !is_refused(&error) {
                    self.paused_until = Some(Instant::now() + PAUSE);
                }
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for Redis {
    // The client's `Debug` output shows the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redis").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

/// User and password for one connection, once the secrets have been read.
struct Login(Mutex<Option<(Settings, Live<Client>)>>);

impl StreamingCredentialsProvider for Login {
    /// The client asks again for later logins, of which there are none: Redis checks the password of new connections only.
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(stream::iter(known).then(|(settings, client)| async move {
            settings.ready().await;
            let unset = |_| RedisError::from((ErrorKind::AuthenticationFailed, "no password is known"));
            let client = client.get().map_err(unset)?;
            let login = client.get_connection_info().redis_settings();
            let text = |part: Option<&str>, other: &str| part.unwrap_or(other).to_owned();
            Ok(BasicAuth::new(text(login.username(), "default"), text(login.password(), "")))
        }))
    }
}

fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_TIMEOUT))
}

fn client(url: &str, authority: Option<&str>) -> Result<Client, RedisError> {
    let info = url.into_connection_info()?;
    // The library's name is of no use to us, and without a password it would cost a round trip of its own.
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let info = info.set_redis_settings(settings);
    if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        // The client brings no TLS provider of its own. An error means that one is installed already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    match authority.map(|pem| pem.as_bytes().to_vec()) {
        None => Client::open(info),
        root_cert => Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert }),
    }
}

/// Whether Redis refused our password or requires one (NOAUTH, for each command of a pipeline).
fn is_refused(error: &Error) -> bool {
    let Error::Failed(failed) = error else { return false };
    failed.kind() == ErrorKind::AuthenticationFailed || says(error, &["NOAUTH"])
}

/// Whether a new connection is needed. After a failover this includes the old primary, which continues as a replica and
/// takes no writes, while the address resolves to the new primary.
fn is_lost(error: &Error) -> bool {
    match error {
        Error::Failed(failed) => {
            failed.is_io_error()
                || failed.is_timeout()
                || failed.is_connection_dropped()
                || says(error, &["READONLY", "MASTERDOWN", "LOADING"])
        }
        Error::Paused | Error::Unset(_) => false,
    }
}

/// Whether the server answered one of the commands with one of these error codes.
fn says(error: &Error, codes: &[&str]) -> bool {
    let Error::Failed(error) = error else { return false };
    let answers = error.clone().into_server_errors();
    answers.is_some_and(|answers| answers.iter().any(|(_, answer)| codes.contains(&answer.code())))
}

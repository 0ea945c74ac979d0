//! The settings of a running function: the environment, read once, and secrets, read again as they expire.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::sync::{Mutex, OnceCell};
use tracing::{error, info};

use super::{
    ALL, APPLICATION_SECRET_ID, DATABASE_SECRET_ID, ORIGIN_SECRET_ID, READERS_SECRET_ID, REDIS_SECRET_ID, SECRET_ID,
    Values,
    aws::Aws,
    optional,
    secrets::Secrets,
    values::{Environment, are_equal},
};

/// The variables that name secrets.
const NAMES: [super::Variable; 6] =
    [SECRET_ID, DATABASE_SECRET_ID, REDIS_SECRET_ID, APPLICATION_SECRET_ID, READERS_SECRET_ID, ORIGIN_SECRET_ID];

/// When secrets are read, and how long callers wait for them.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Secrets that were read longer ago are read again.
    pub lifetime: Duration,
    /// Timeout at the start of the function, and of each request until every secret has been read once.
    pub patience: Duration,
    /// Timeout of a request that only renews known secrets.
    pub renewal_patience: Duration,
    /// Minimum time between two reads after a failure or refusal. Otherwise each wrong signature that a caller sends
    /// would trigger a call to Secrets Manager.
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_mins(5),
            patience: Duration::from_secs(2),
            renewal_patience: Duration::from_millis(500),
            pause: Duration::from_secs(3),
        }
    }
}

/// Every setting: the variables of the environment and, where one is not set, the secrets that `SECRET_ID` and the other
/// `…_SECRET_ID` name. Clones share them.
#[derive(Clone)]
pub struct Settings(Arc<Inner>);

struct Inner {
    pace: Pace,
    /// `None` if no variable names a secret: then AWS is never called.
    secrets: Option<Secrets>,
    values: RwLock<Arc<Values>>,
    /// How often the values have changed.
    generation: AtomicU64,
    /// Locked while the secrets are read: concurrent requests wait for the result.
    history: Mutex<History>,
    /// When all secrets were last read, in milliseconds since 1970. Wall-clock time, because a monotonic clock may stop
    /// while the environment is frozen.
    renewed_at: AtomicU64,
}

#[derive(Default)]
struct History {
    is_started: bool,
    tried_at: Option<SystemTime>,
}

impl Settings {
    /// Reads the environment, and begins to read the secrets if it names any. The calls overlap with the rest of the
    /// function's start; [`Self::ready`] waits for them.
    pub async fn start() -> Self {
        let set = |variable: &super::Variable| Some((variable.name().to_owned(), optional(*variable)?));
        let settings = Self::new(ALL.iter().filter_map(set).collect(), None, Pace::default());
        if settings.0.secrets.is_some() {
            let settings = settings.clone();
            tokio::spawn(async move { settings.ready().await });
            // The runtime has one thread: without this yield nothing is sent until the rest of the start is done.
            tokio::task::yield_now().await;
        }
        settings
    }

    /// Settings made of these variables, with Secrets Manager as `aws` says.
    pub fn of(variables: &[(super::Variable, &str)], aws: Option<Aws>, pace: Pace) -> Self {
        let environment = variables.iter().map(|(variable, value)| (variable.name().to_owned(), (*value).to_owned()));
        Self::new(environment.collect(), aws, pace)
    }

    fn new(environment: Environment, aws: Option<Aws>, pace: Pace) -> Self {
        let id = |name: &super::Variable| {
            let id = environment.get(name.name()).map(|id| id.trim()).filter(|id| !id.is_empty())?;
            Some((name.name(), id.to_owned()))
        };
        let ids: BTreeMap<_, _> = NAMES.iter().filter_map(id).collect();
        let secrets = (!ids.is_empty()).then(|| Secrets { ids, aws, caller: OnceCell::new() });
        let values = Values { environment: Arc::new(environment), secrets: BTreeMap::new() };
        Self(Arc::new(Inner {
            pace,
            secrets,
            values: RwLock::new(Arc::new(values)),
            generation: AtomicU64::new(0),
            history: Mutex::default(),
            renewed_at: AtomicU64::new(0),
        }))
    }

    /// Whether a secret may supply what the environment does not.
    pub(super) fn has_secrets(&self) -> bool {
        self.0.secrets.is_some()
    }

    /// Whether this variable names a secret.
    pub(crate) fn names(&self, secret: super::Variable) -> bool {
        self.0.secrets.as_ref().is_some_and(|secrets| secrets.ids.contains_key(secret.name()))
    }

    /// Waits for the first read of the secrets, if there are any. After a failure or timeout the first request tries
    /// again.
    pub async fn ready(&self) {
        let Some(secrets) = &self.0.secrets else { return };
        let mut history = self.0.history.lock().await;
        if !history.is_started {
            history.is_started = true;
            let is_complete = self.fetch(secrets, self.0.pace.patience).await;
            history.tried_at = is_complete.then(SystemTime::now);
        }
    }

    /// Reads secrets that have expired or could not be read yet. Call it for each request: concurrently if
    /// [`Self::is_complete`], else before the request is handled.
    pub async fn renew_if_old(&self) {
        let Some(secrets) = &self.0.secrets else { return };
        let (is_complete, pace) = (self.is_complete(), self.0.pace);
        if is_complete && !self.are_old() {
            return;
        }
        let mut history = self.0.history.lock().await;
        let is_due = if is_complete { self.are_old() } else { !self.is_complete() };
        // The known secrets still work, so a failed renewal is not urgent.
        let pause = if is_complete { pace.pause * 10 } else { pace.pause };
        if is_due && history.tried_at.is_none_or(|at| age(at) >= pause) {
            history.tried_at = Some(SystemTime::now());
            self.fetch(secrets, if is_complete { pace.renewal_patience } else { pace.patience }).await;
        }
    }

    /// Whether every secret has been read at least once.
    pub fn is_complete(&self) -> bool {
        let read = || self.values().1.secrets.len();
        self.0.secrets.as_ref().is_none_or(|secrets| secrets.ids.len() == read())
    }

    /// Reads the secrets again because a server refused one, unless that was done a moment ago.
    pub(super) async fn refetch(&self) {
        let Some(secrets) = &self.0.secrets else { return };
        let mut history = self.0.history.lock().await;
        if history.tried_at.is_none_or(|at| age(at) >= self.0.pace.pause) {
            history.tried_at = Some(SystemTime::now());
            self.fetch(secrets, self.0.pace.renewal_patience).await;
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    pub(super) fn values(&self) -> (u64, Arc<Values>) {
        let values = self.0.values.read().unwrap_or_else(PoisonError::into_inner);
        (self.generation(), Arc::clone(&values))
    }

    fn are_old(&self) -> bool {
        let renewed_at = SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.renewed_at.load(Ordering::Acquire));
        age(renewed_at) >= self.0.pace.lifetime
    }

    /// Reads all secrets; `true` if every read succeeded.
    async fn fetch(&self, secrets: &Secrets, limit: Duration) -> bool {
        let mut is_whole = true;
        let mut values = (*self.values().1).clone();
        let mut has_changed = false;
        for (name, read) in secrets.read(limit).await {
            match read {
                Ok(secret) => {
                    let is_known = values.secrets.get(name).is_some_and(|known| are_equal(known, &secret));
                    if !is_known {
                        has_changed = true;
                        values.secrets.insert(name, Arc::new(secret));
                    }
                }
                Err(reason) => {
                    is_whole = false;
                    let id = secrets.ids.get(name).map(String::as_str).unwrap_or_default();
                    error!(variable = name, secret = id, %reason, "secret not read");
                }
            }
        }
        if has_changed {
            let mut present = self.0.values.write().unwrap_or_else(PoisonError::into_inner);
            *present = Arc::new(values);
            let generation = self.0.generation.fetch_add(1, Ordering::AcqRel) + 1;
            info!(generation, "secrets read");
        }
        if is_whole {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.0.renewed_at.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
        }
        is_whole
    }
}

impl Default for Settings {
    /// Settings without a variable, for tests.
    fn default() -> Self {
        Self::of(&[], None, Pace::default())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Settings")
    }
}

/// The time since a moment; the maximum if the clock was set back, so that everything counts as old.
fn age(moment: SystemTime) -> Duration {
    moment.elapsed().unwrap_or(Duration::MAX)
}

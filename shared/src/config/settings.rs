//! The settings of a running function, and when its secrets are read again.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use tokio::sync::{Mutex, OnceCell};
use tracing::{error, info};

use super::{
    ALL, DATABASE_SECRET_ID, Error, Live, REDIS_SECRET_ID, SECRET_ID, Values, optional,
    secrets::Secrets,
    values::{Environment, are_equal},
};

/// The variables that name secrets.
const NAMES: [super::Variable; 3] = [SECRET_ID, DATABASE_SECRET_ID, REDIS_SECRET_ID];

/// When secrets are read, and how long anybody waits for them.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After this time they are read again.
    pub lifetime: Duration,
    /// How long the start of the function waits, and each request for as long as a secret has never been read.
    pub patience: Duration,
    /// How long a request waits for what is only to be read again.
    pub renewal_patience: Duration,
    /// Whatever is refused or fails: secrets are not read again within this time. It keeps who sends wrong signatures
    /// from making us call Secrets Manager each time.
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

/// Every setting: the variables of the environment and, for what is not there, the secrets that `SECRET_ID`,
/// `DATABASE_SECRET_ID` and `REDIS_SECRET_ID` name. Clones share them.
#[derive(Clone)]
pub struct Settings(Arc<Inner>);

struct Inner {
    pace: Pace,
    /// `None` if no variable names one: then AWS is never called.
    secrets: Option<Secrets>,
    values: RwLock<Arc<Values>>,
    /// How often the values have changed.
    generation: AtomicU64,
    /// Held by whoever reads the secrets; the others wait for what comes of it.
    history: Mutex<History>,
    /// When all secrets were last read, in seconds since 1970. The clock of the wall, since another may stand still while
    /// the environment is frozen.
    renewed_at: AtomicU64,
}

#[derive(Default)]
struct History {
    is_started: bool,
    tried_at: Option<SystemTime>,
}

impl Settings {
    /// Reads the environment, and begins to read the secrets if it names any. The network is at it while the rest of the
    /// function's start goes on, which need not wait: see [`Self::ready`].
    pub async fn start() -> Self {
        let set = |variable: &super::Variable| Some((variable.name().to_owned(), optional(*variable)?));
        let settings = Self::new(ALL.iter().filter_map(set).collect(), None, Pace::default());
        if settings.0.secrets.is_some() {
            let settings = settings.clone();
            tokio::spawn(async move { settings.ready().await });
            // On its one thread nothing of it would be sent before the rest is made.
            tokio::task::yield_now().await;
        }
        settings
    }

    /// The settings that these variables make, with Secrets Manager where `sdk` says.
    pub fn of(variables: &[(super::Variable, &str)], sdk: Option<SdkConfig>, pace: Pace) -> Self {
        let environment = variables.iter().map(|(variable, value)| (variable.name().to_owned(), (*value).to_owned()));
        Self::new(environment.collect(), sdk, pace)
    }

    fn new(environment: Environment, sdk: Option<SdkConfig>, pace: Pace) -> Self {
        let id = |name: &super::Variable| {
            let id = environment.get(name.name()).map(|id| id.trim()).filter(|id| !id.is_empty())?;
            Some((name.name(), id.to_owned()))
        };
        let ids: BTreeMap<_, _> = NAMES.iter().filter_map(id).collect();
        let secrets = (!ids.is_empty()).then(|| Secrets { ids, sdk, client: OnceCell::new() });
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

    /// What `read` makes of the settings, now and whenever they have changed. If no secret can bring what is missing,
    /// a value that cannot be read is an error, which stops the function at its start.
    pub fn live<T>(
        &self,
        read: impl Fn(&Values) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Live<T>, Error> {
        let live = Live::new(self.clone(), Box::new(read));
        if self.0.secrets.is_none() {
            live.get()?;
        }
        Ok(live)
    }

    /// Waits until the secrets have been read for the first time, if there are any, or could not be for a while; then the
    /// first request tries again.
    pub async fn ready(&self) {
        let Some(secrets) = &self.0.secrets else { return };
        let mut history = self.0.history.lock().await;
        if !history.is_started {
            history.is_started = true;
            let is_complete = self.fetch(secrets, self.0.pace.patience).await;
            history.tried_at = is_complete.then(SystemTime::now);
        }
    }

    /// Reads secrets that are old again, and those that could not be read yet. To be called for each request: it may run
    /// beside it, but not if [`Self::is_complete`] says no.
    pub async fn renew_if_old(&self) {
        let Some(secrets) = &self.0.secrets else { return };
        let (is_complete, pace) = (self.is_complete(), self.0.pace);
        if is_complete && !self.are_old() {
            return;
        }
        let mut history = self.0.history.lock().await;
        let is_due = if is_complete { self.are_old() } else { !self.is_complete() };
        // What is there goes on working, so that a failed renewal is in no hurry.
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

    /// Reads the secrets again because something in them was refused, unless that was done a moment ago.
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

    /// Reads all secrets; `true` if that succeeded with each.
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

/// A clock that was set back makes everything old.
fn age(moment: SystemTime) -> Duration {
    moment.elapsed().unwrap_or(Duration::MAX)
}

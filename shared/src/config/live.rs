//! A value parsed from settings, and parsed again when they change.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::error;

use super::{Error, Settings, Values};

/// A value parsed from settings, such as the key of an account. Clones share it.
pub struct Live<T>(Arc<Source<T>>);

enum Source<T> {
    Fixed(Arc<T>),
    Read { settings: Settings, read: Box<Read<T>>, kept: Mutex<Parsed<T>> },
}

type Read<T> = dyn Fn(&Values) -> Result<T, Error> + Send + Sync;

struct Parsed<T> {
    /// The generation of the settings that the value was last read from.
    generation: u64,
    value: Result<Arc<T>, Error>,
}

impl Settings {
    /// The value that `read` makes of the settings, now and after each change. If no secret can supply what is missing,
    /// a value that cannot be read is an error, which stops the function at its start.
    pub fn live<T>(
        &self,
        read: impl Fn(&Values) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Live<T>, Error> {
        let live = Live::new(self.clone(), Box::new(read));
        if !self.has_secrets() {
            live.get()?;
        }
        Ok(live)
    }
}

impl<T> Live<T> {
    /// A value that never changes.
    pub fn fixed(value: impl Into<Arc<T>>) -> Self {
        Self(Arc::new(Source::Fixed(value.into())))
    }

    fn new(settings: Settings, read: Box<Read<T>>) -> Self {
        let (generation, values) = settings.values();
        let kept = Parsed { generation, value: read(&values).map(Arc::new) };
        Self(Arc::new(Source::Read { settings, read, kept: Mutex::new(kept) }))
    }

    /// The value from the newest settings that could be read.
    pub fn get(&self) -> Result<Arc<T>, Error> {
        let (settings, read, kept) = match &*self.0 {
            Source::Fixed(value) => return Ok(Arc::clone(value)),
            Source::Read { settings, read, kept } => (settings, read, kept),
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.generation != settings.generation() {
            let (generation, values) = settings.values();
            kept.generation = generation;
            match read(&values) {
                Ok(value) => kept.value = Ok(Arc::new(value)),
                Err(error) if kept.value.is_ok() => error!(%error, "new settings cannot be used, the old ones stay"),
                Err(error) => kept.value = Err(error),
            }
        }
        kept.value.clone()
    }

    /// A value other than this one, which a server has refused. If none is known yet, reads the secrets again, unless
    /// that was done a moment ago.
    pub async fn instead_of(&self, refused: &Arc<T>) -> Option<Arc<T>> {
        let Source::Read { settings, .. } = &*self.0 else { return None };
        let other = || self.get().ok().filter(|value| !Arc::ptr_eq(value, refused));
        match other() {
            None => {
                settings.refetch().await;
                other()
            }
            known => known,
        }
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Live<T> {
    // The value is usually a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Live")
    }
}

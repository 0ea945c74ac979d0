//! The state of a stand-in, shared by its server and its owner, and the file in which it is saved.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;

/// The state of a service. It is never locked across an `await`.
#[derive(Debug)]
pub struct Shared<State> {
    state: Mutex<State>,
    file: Option<PathBuf>,
    before_saving: fn(&mut State),
    changes: watch::Sender<()>,
}

impl<State: Serialize + DeserializeOwned> Shared<State> {
    /// Reads the state from the file; `None` if there is no file.
    pub fn load(file: Option<&Path>) -> io::Result<Option<State>> {
        match file.map(fs::read) {
            Some(Ok(json)) => serde_json::from_slice(&json).map(Some).map_err(io::Error::from),
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(None),
        }
    }

    /// A state that is saved in the file, if one is given. Writes it at once, so that an unwritable file fails here.
    pub fn new(state: State, file: Option<PathBuf>, before_saving: fn(&mut State)) -> io::Result<Self> {
        let shared = Self { state: Mutex::new(state), file, before_saving, changes: watch::Sender::new(()) };
        shared.change(|_| ())?;
        Ok(shared)
    }

    /// Locks the state. A change made through the guard is not saved.
    pub fn look(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes the state and saves it before another call can read the change.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> io::Result<T> {
        let mut state = self.look();
        let result = change(&mut state);
        self.changes.send_replace(());
        if let Some(file) = &self.file {
            (self.before_saving)(&mut state);
            save(&*state, file)?;
        }
        Ok(result)
    }

    /// Like [`Self::change`], for tests.
    ///
    /// # Panics
    ///
    /// When the file cannot be written.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub fn keep<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.change(change).expect("the state can be written")
    }

    /// Notifies of every change to the state.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

/// Writes the file atomically. It may hold keys, so only its owner may read it.
fn save(state: &impl Serialize, file: &Path) -> io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let mut new = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&name)?;
    new.write_all(&serde_json::to_vec(state)?)?;
    drop(new);
    fs::rename(&name, file)
}

/// Locks a mutex, even if a test panicked while it held the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

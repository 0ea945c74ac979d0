//! The log lines of a test, as a function writes them.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use shared::logging;
use tracing::{level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::MakeWriter;

/// Collects the lines that this thread logs, until it is dropped.
pub struct Log {
    bytes: Bytes,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Bytes {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Begins to collect.
    #[must_use]
    pub fn start() -> Self {
        let bytes = Bytes::default();
        let subscriber = logging::writing(LevelFilter::INFO, bytes.clone());
        Self { bytes, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The text of the lines since the last call.
    pub fn text(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.bytes.0.lock().unwrap())).unwrap()
    }

    /// The lines since the last call.
    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

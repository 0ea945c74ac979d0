//! What a service brings.

use std::{fmt::Debug, io, path::PathBuf};

use axum::{extract::Request, response::Response};
use tokio::sync::watch;

use crate::faults::{Fault, Faults};

/// A service that a stand-in plays.
pub trait Service: Debug + Send + Sync + Sized + 'static {
    /// What its owner can set.
    type Settings: Default;

    /// What can go wrong with its calls.
    type Fault: Fault;

    /// Makes it, with what the file kept. `url` is where it will be.
    fn open(settings: Self::Settings, file: Option<PathBuf>, url: &str) -> impl Future<Output = io::Result<Self>>;

    /// Begins what it does by itself, until `stop` says so, or its sender is gone.
    fn begin(&self, _stop: watch::Receiver<()>) {}

    /// Answers a call, unless the fault does.
    fn answer(&self, request: Request, fault: Option<Self::Fault>) -> impl Future<Output = Response> + Send;

    /// Answers a call of what the stand-in offers beside the API, for developers and for tests in any language.
    fn hook(&self, request: Request, faults: &Faults<Self::Fault>) -> impl Future<Output = Response> + Send;
}

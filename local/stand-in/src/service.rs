//! The interface that a service implements.

use std::{fmt::Debug, io, path::PathBuf};

use axum::{extract::Request, response::Response};
use tokio::sync::watch;

use crate::faults::{Fault, Faults};

/// A service that a stand-in imitates.
pub trait Service: Debug + Send + Sync + Sized + 'static {
    type Settings: Default;

    type Fault: Fault;

    /// Creates the service, with the state in the file. `url` is its base URL.
    fn open(settings: Self::Settings, file: Option<PathBuf>, url: &str) -> impl Future<Output = io::Result<Self>>;

    /// Starts background work, which ends when `stop` changes or its sender is dropped.
    fn begin(&self, _stop: watch::Receiver<()>) {}

    /// Answers a call. The fault may delay or replace the answer.
    fn answer(&self, request: Request, fault: Option<Self::Fault>) -> impl Future<Output = Response> + Send;

    /// Answers a hook: an endpoint beside the API, for developers and for tests in any language.
    fn hook(&self, request: Request, faults: &Faults<Self::Fault>) -> impl Future<Output = Response> + Send;
}

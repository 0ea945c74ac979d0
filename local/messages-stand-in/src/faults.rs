//! Scripted outcomes of the next calls.

use std::{future, io, time::Duration};

use axum::{body::Body, response::Response};
use futures::stream;
use serde::Deserialize;
use serde_json::Value;

/// What a call ends in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The message is taken.
    #[default]
    Accepted,
    /// 429: the message is not taken now.
    Later,
    /// The message is refused for good.
    Refused,
    /// The number is not on WhatsApp; elsewhere the same as `Refused`.
    NotReachable,
    /// The template is not registered; in mail the same as `Refused`.
    Template,
    /// The token or the account is blocked.
    Stopped,
    /// The carrier's own failure: 500, with an error that can be read.
    ServerError,
    /// The message is taken, and no answer ever comes.
    Silent,
    /// The message is taken, and the connection is closed without an answer.
    Lost,
}

/// An outcome of the next calls to a path. Over HTTP by `POST /_faults` with these members and `path`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// How many calls it affects.
    pub times: usize,
    pub outcome: Outcome,
    /// Milliseconds between taking the message and the answer.
    #[serde(rename = "delay_ms", deserialize_with = "stand_in::milliseconds")]
    pub delay: Option<Duration>,
    /// A status to answer instead: what comes from a gateway. The message is not taken.
    pub status: Option<u16>,
    /// With it a body: a string as it is, anything else as JSON.
    pub body: Option<Value>,
}

impl Default for Fault {
    fn default() -> Self {
        Self { times: 1, outcome: Outcome::Accepted, delay: None, status: None, body: None }
    }
}

impl Fault {
    pub fn of(outcome: Outcome) -> Self {
        Self { outcome, ..Self::default() }
    }

    /// One call gets this status and body.
    pub fn answer(status: u16, body: impl Into<Value>) -> Self {
        Self { status: Some(status), body: Some(body.into()), ..Self::default() }
    }

    /// One call is taken, and answered so much later.
    pub fn delay(delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }

    /// The same for this many calls.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }
}

impl stand_in::Fault for Fault {
    fn count(&self) -> usize {
        self.times
    }
}

/// Never answers.
pub(crate) async fn silence() -> Response {
    future::pending().await
}

/// Closes the connection before its first byte: the body fails while its head is still buffered.
pub(crate) fn no_response() -> Response {
    let broken = Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionAborted));
    Response::new(Body::from_stream(stream::iter([broken])))
}

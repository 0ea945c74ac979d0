//! Fault injection: slow calls, error answers, rate limits and lost answers.

use std::{io, time::Duration};

use axum::{body::Body, response::Response};
use futures::stream;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Refusal;

/// A fault of the next calls to a path. It waits for the delay; then the call proceeds, unless the fault has a status
/// or a body to answer instead, or closes the connection.
/// Over HTTP by `POST /_faults` with these members and the path; the delay is `delay_ms`, a number of milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// How many calls it affects.
    pub times: usize,
    /// The only method that it affects, such as `POST`.
    pub method: Option<String>,
    #[serde(rename = "delay_ms", deserialize_with = "stand_in::milliseconds")]
    pub delay: Option<Duration>,
    /// The status to answer; 200 if there is only a body.
    pub status: Option<u16>,
    /// The body to answer: a string is sent as it is, anything else as JSON.
    pub body: Option<Value>,
    /// Additional headers.
    #[serde(deserialize_with = "stand_in::headers")]
    pub headers: Vec<(String, String)>,
    /// Whether the connection is closed without an answer.
    pub close: bool,
    /// Whether the call takes effect before the fault. Without a status and a body its answer is lost: the connection
    /// is closed.
    pub after: bool,
}

impl Default for Fault {
    /// One call, which proceeds normally.
    fn default() -> Self {
        Self {
            times: 1,
            method: None,
            delay: None,
            status: None,
            body: None,
            headers: Vec::new(),
            close: false,
            after: false,
        }
    }
}

impl Fault {
    /// One call gets this status and nothing else, as from a proxy in front of the service.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// One call gets this status and body.
    pub fn answer(status: u16, body: impl Into<Value>) -> Self {
        Self { status: Some(status), body: Some(body.into()), ..Self::default() }
    }

    /// One call is delayed.
    pub fn delay(delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }

    /// The connection of one call is closed before the call takes effect.
    pub fn closed() -> Self {
        Self { close: true, ..Self::default() }
    }

    /// One call takes effect, and its answer is lost.
    pub fn lost() -> Self {
        Self { after: true, ..Self::default() }
    }

    /// One call is throttled. Razorpay documents no `Retry-After`.
    pub fn rate_limited() -> Self {
        let (status, body) = Refusal::throttled().parts();
        Self::answer(status, body)
    }

    /// One call fails with an internal error of Razorpay.
    pub fn server_error() -> Self {
        let (status, body) = Refusal::server_error().parts();
        Self::answer(status, body)
    }

    /// The same for this many calls.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The same for calls with this method only.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// The same, but the call takes effect first.
    #[must_use]
    pub fn after(self) -> Self {
        Self { after: true, ..self }
    }

    /// The answer to the affected call; `None` if the call proceeds.
    pub(crate) fn response(&self) -> Option<Response> {
        let answers = self.status.is_some() || self.body.is_some();
        if self.close || (self.after && !answers) {
            return Some(no_response());
        }
        answers.then(|| stand_in::spoiled(self.status, self.body.as_ref(), &self.headers))
    }
}

impl stand_in::Fault for Fault {
    fn count(&self) -> usize {
        self.times
    }

    fn spoils(&self, method: &str) -> bool {
        self.method.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(method))
    }
}

/// A response that closes the connection before its first byte: its body fails while its head is still buffered.
fn no_response() -> Response {
    let broken = Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionAborted));
    Response::new(Body::from_stream(stream::iter([broken])))
}

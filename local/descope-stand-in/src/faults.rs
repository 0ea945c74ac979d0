//! Fault injection: slow calls, wrong answers, rate limits.

use std::time::Duration;

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Reason;

/// A fault of the next calls to a path. It delays the call first; without a status and a body the call then goes on.
/// Over HTTP: `POST /_faults` with these members and `path`; the delay is `delay_ms`, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Number of calls it affects.
    pub times: usize,
    #[serde(rename = "delay_ms", deserialize_with = "stand_in::milliseconds")]
    pub delay: Option<Duration>,
    /// Status of the answer; 200 if only a body is set.
    pub status: Option<u16>,
    /// Body of the answer: a string is sent as it is, anything else as JSON.
    pub body: Option<Value>,
    /// The header `Retry-After`, in seconds. Over HTTP it is set in `headers`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
    /// Additional headers.
    #[serde(deserialize_with = "stand_in::headers")]
    pub headers: Vec<(String, String)>,
}

impl Default for Fault {
    /// Affects one call, without any effect set.
    fn default() -> Self {
        Self { times: 1, delay: None, status: None, body: None, retry_after: None, headers: Vec::new() }
    }
}

impl Fault {
    /// One call gets this status without a body, as from a proxy in front of the service.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Delays one call.
    pub fn delay(delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }

    /// One call gets Descope's rate limit error.
    pub fn rate_limited(retry_after: u64) -> Self {
        let (status, body) = Reason::RateLimited.because("API rate limit exceeded").parts();
        Self { status: Some(status), body: Some(body), retry_after: Some(retry_after), ..Self::default() }
    }

    /// The same fault for this number of calls.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The answer to the affected call; `None` if the call goes on.
    pub(crate) fn response(&self) -> Option<Response> {
        if self.status.is_none() && self.body.is_none() {
            return None;
        }
        let retry_after = self.retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
        let headers: Vec<_> = retry_after.into_iter().chain(self.headers.clone()).collect();
        Some(stand_in::spoiled(self.status, self.body.as_ref(), &headers))
    }
}

impl stand_in::Fault for Fault {
    fn count(&self) -> usize {
        self.times
    }
}

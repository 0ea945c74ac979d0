//! Trouble on demand: slow calls, wrong answers, rate limits.

use std::time::Duration;

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Reason;

/// What is to go wrong with the next calls of a path. It waits first; without a status and a body the call then goes
/// on. Over HTTP by `POST /_faults` with these members and the path; the delay is `delay_ms`, a number of milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// How many calls it spoils.
    pub times: usize,
    /// How long it waits.
    #[serde(rename = "delay_ms", deserialize_with = "stand_in::milliseconds")]
    pub delay: Option<Duration>,
    /// The status to answer; 200 if there is only a body.
    pub status: Option<u16>,
    /// The body to answer: text goes out as it is, anything else as JSON.
    pub body: Option<Value>,
    /// The header `Retry-After`, in seconds.
    #[serde(skip)]
    pub retry_after: Option<u64>,
    /// More headers.
    #[serde(deserialize_with = "stand_in::headers")]
    pub headers: Vec<(String, String)>,
}

impl Default for Fault {
    /// One call, with which nothing is wrong yet.
    fn default() -> Self {
        Self { times: 1, delay: None, status: None, body: None, retry_after: None, headers: Vec::new() }
    }
}

impl Fault {
    /// One call gets this status and nothing else, as from a proxy in front of the service.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// One call is late.
    pub fn delay(delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }

    /// One call runs into Descope's rate limit.
    pub fn rate_limited(retry_after: u64) -> Self {
        let (status, body) = Reason::RateLimited.because("API rate limit exceeded").parts();
        Self { status: Some(status), body: Some(body), retry_after: Some(retry_after), ..Self::default() }
    }

    /// The same for so many calls.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// What the spoiled call gets, unless it goes on.
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

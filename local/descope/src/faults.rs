//! Trouble on demand: slow calls, wrong answers, rate limits.

use std::time::Duration;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use serde_json::Value;

use crate::answer::{self, Reason};

/// What is to go wrong with the next calls of a path. It waits first; without a status and a body the call then goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How many calls it spoils.
    pub times: usize,
    /// How long it waits.
    pub delay: Option<Duration>,
    /// The status to answer; 200 if there is only a body.
    pub status: Option<u16>,
    /// The body to answer: text goes out as it is, anything else as JSON.
    pub body: Option<Value>,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// More headers.
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
        let status = self.status.unwrap_or(200);
        let mut response = answer::response(status, self.body.as_ref().unwrap_or(&Value::Null));
        match &self.body {
            Some(Value::String(text)) => {
                *response.body_mut() = text.clone().into();
                if text.trim_start().starts_with('<') {
                    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
                }
            }
            Some(_) => {}
            None => *response.body_mut() = axum::body::Body::empty(),
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        Some(response)
    }
}

/// The faults that wait for calls.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(String, Fault)>);

impl Faults {
    /// Spoils the next calls of a path, after those that are spoiled already.
    pub(crate) fn add(&mut self, path: &str, fault: Fault) {
        self.0.push((path.to_owned(), fault));
    }

    /// What is wrong with a call of this path that arrives now.
    pub(crate) fn take(&mut self, path: &str) -> Option<Fault> {
        self.0.retain(|(_, fault)| fault.times > 0);
        let (_, fault) = self.0.iter_mut().find(|(spoiled, _)| spoiled == path)?;
        fault.times -= 1;
        Some(fault.clone())
    }

    /// Lets all calls pass again.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

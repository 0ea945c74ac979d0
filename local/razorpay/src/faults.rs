//! Trouble on demand: slow calls, wrong answers, rate limits, and answers that get lost.

use std::{io, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use futures::stream;
use serde_json::Value;

use crate::answer::{self, Refusal};

/// What is to go wrong with the next calls of a path. It waits first; the call then goes on, unless there is a status or a body
/// to answer instead, or the connection is to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How many calls it spoils.
    pub times: usize,
    /// The only method that it spoils, such as `POST`.
    pub method: Option<String>,
    /// How long it waits.
    pub delay: Option<Duration>,
    /// The status to answer; 200 if there is only a body.
    pub status: Option<u16>,
    /// The body to answer: text goes out as it is, anything else as JSON.
    pub body: Option<Value>,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// Whether the connection is closed without an answer.
    pub close: bool,
    /// Whether the call has its effect before anything goes wrong. Without a status and a body its answer is lost: the
    /// connection is closed.
    pub after: bool,
}

impl Default for Fault {
    /// One call, with which nothing is wrong yet.
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

    /// One call is late.
    pub fn delay(delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }

    /// The connection of one call is closed before anything happens.
    pub fn closed() -> Self {
        Self { close: true, ..Self::default() }
    }

    /// One call has its effect, and its answer is lost.
    pub fn lost() -> Self {
        Self { after: true, ..Self::default() }
    }

    /// One call is throttled. Razorpay documents no `Retry-After`.
    pub fn rate_limited() -> Self {
        let (status, body) = Refusal::throttled().parts();
        Self::answer(status, body)
    }

    /// One call runs into trouble on Razorpay's side.
    pub fn server_error() -> Self {
        let (status, body) = Refusal::server_error().parts();
        Self::answer(status, body)
    }

    /// The same for so many calls.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The same for calls by this method only.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// The same, but the call has its effect first.
    #[must_use]
    pub fn after(self) -> Self {
        Self { after: true, ..self }
    }

    /// What the spoiled call gets, unless it goes on.
    pub(crate) fn response(&self) -> Option<Response> {
        let answers = self.status.is_some() || self.body.is_some();
        if self.close || (self.after && !answers) {
            return Some(no_response());
        }
        answers.then(|| self.answered())
    }

    fn answered(&self) -> Response {
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
            None => *response.body_mut() = Body::empty(),
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A response that ends the connection before its first byte: its body breaks while its head waits to be sent.
fn no_response() -> Response {
    let broken = Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionAborted));
    Response::new(Body::from_stream(stream::iter([broken])))
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
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        self.0.retain(|(_, fault)| fault.times > 0);
        let is_meant = |fault: &Fault| fault.method.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(method));
        let (_, fault) = self.0.iter_mut().find(|(spoiled, fault)| spoiled == path && is_meant(fault))?;
        fault.times -= 1;
        Some(fault.clone())
    }

    /// Lets all calls pass again.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

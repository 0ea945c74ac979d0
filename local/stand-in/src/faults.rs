//! Trouble on demand: which calls are spoiled, and what they get.

use std::{fmt::Debug, sync::Mutex, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};
use serde_json::{Map, Value};

use crate::{answer::response, shared::lock};

/// What is to go wrong with calls of a path, in the words of a service.
pub trait Fault: Clone + Debug + Default + DeserializeOwned + Send + 'static {
    /// How many calls it spoils.
    fn count(&self) -> usize;

    /// Whether it spoils calls by this method, which a service need not tell apart.
    fn spoils(&self, _method: &str) -> bool {
        true
    }
}

/// The faults that wait for calls: of which path, how often, what.
#[derive(Debug, Default)]
pub struct Faults<F>(Mutex<Vec<(String, usize, F)>>);

impl<F: Fault> Faults<F> {
    /// Spoils the next calls of a path, after those that are spoiled already.
    pub fn add(&self, path: &str, fault: F) {
        lock(&self.0).push((path.to_owned(), fault.count(), fault));
    }

    /// The same as a hook is told: the fault with its path.
    pub fn add_told(&self, mut told: Value) -> serde_json::Result<()> {
        let path = told.as_object_mut().and_then(|told| told.remove("path"));
        let path: String = serde_json::from_value(path.ok_or_else(|| Error::missing_field("path"))?)?;
        self.add(&path, serde_json::from_value(told)?);
        Ok(())
    }

    /// What is wrong with a call that arrives now.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<F> {
        let mut faults = lock(&self.0);
        faults.retain(|(_, left, _)| *left > 0);
        let (_, left, fault) = faults.iter_mut().find(|(spoiled, _, fault)| spoiled == path && fault.spoils(method))?;
        *left -= 1;
        Some(fault.clone())
    }

    /// Lets all calls pass again.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// What a spoiled call gets: text as it is, anything else as JSON, nothing without a body.
pub fn spoiled(status: Option<u16>, body: Option<&Value>, headers: &[(String, String)]) -> Response {
    let mut response = response(status.unwrap_or(200), body.unwrap_or(&Value::Null));
    match body {
        Some(Value::String(text)) => {
            *response.body_mut() = text.clone().into();
            if text.trim_start().starts_with('<') {
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            }
        }
        Some(_) => {}
        None => *response.body_mut() = Body::empty(),
    }
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Reads a delay that a hook is told in milliseconds.
pub fn milliseconds<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
}

/// Reads the headers that a hook is told. Numbers need no quotes.
pub fn headers<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = Map::<String, Value>::deserialize(deserializer)?;
    Ok(headers.into_iter().map(|(name, value)| (name, text(value))).collect())
}

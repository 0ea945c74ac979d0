//! Fault injection: the pending faults and the answers that they cause.

use std::{fmt::Debug, sync::Mutex, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};
use serde_json::{Map, Value};

use crate::{answer::response, shared::lock};

/// A fault that a service can inject into calls to a path.
pub trait Fault: Clone + Debug + Default + DeserializeOwned + Send + 'static {
    /// Number of calls it affects.
    fn count(&self) -> usize;

    /// Whether it affects calls by this method. A service need not distinguish methods.
    fn spoils(&self, _method: &str) -> bool {
        true
    }
}

/// Pending faults: path, remaining calls, fault.
#[derive(Debug, Default)]
pub struct Faults<F>(Mutex<Vec<(String, usize, F)>>);

impl<F: Fault> Faults<F> {
    /// Adds a fault for the next calls to a path, after the faults already pending for it.
    pub fn add(&self, path: &str, fault: F) {
        lock(&self.0).push((path.to_owned(), fault.count(), fault));
    }

    /// Adds a fault from the body of a hook call: the members of the fault and `path`.
    pub fn add_told(&self, mut told: Value) -> serde_json::Result<()> {
        let path = told.as_object_mut().and_then(|told| told.remove("path"));
        let path: String = serde_json::from_value(path.ok_or_else(|| Error::missing_field("path"))?)?;
        self.add(&path, serde_json::from_value(told)?);
        Ok(())
    }

    /// Takes the fault for a call that arrives now.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<F> {
        let mut faults = lock(&self.0);
        faults.retain(|(_, left, _)| *left > 0);
        let (_, left, fault) = faults.iter_mut().find(|(spoiled, _, fault)| spoiled == path && fault.spoils(method))?;
        *left -= 1;
        Some(fault.clone())
    }

    /// Removes all pending faults.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// The answer that a fault causes: a string body as it is, any other as JSON, none as an empty body.
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

/// Deserializes a delay in milliseconds.
pub fn milliseconds<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
}

/// Deserializes headers. Numbers need no quotes.
pub fn headers<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = Map::<String, Value>::deserialize(deserializer)?;
    Ok(headers.into_iter().map(|(name, value)| (name, text(value))).collect())
}

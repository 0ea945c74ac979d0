//! What the stand-in offers beside the API, for developers and for tests in any language.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    answer::{Reason, Result},
    faults::Fault,
    request::Request,
    settings::Settings,
    state::State,
    tokens::Key,
};

/// What makes a path one of a hook.
pub(crate) const PREFIX: &str = "/_";

/// The hook that needs a new key. Making one is slow, so it is done before the state is locked.
pub(crate) const ROTATE: &str = "/_keys/rotate";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFault {
    path: String,
    #[serde(default = "once")]
    times: usize,
    delay_ms: Option<u64>,
    status: Option<u16>,
    body: Option<Value>,
    #[serde(default)]
    headers: Map<String, Value>,
}

fn once() -> usize {
    1
}

/// Answers a hook.
pub(crate) fn answer(state: &mut State, request: &Request, new_key: Option<Key>) -> Result {
    match (request.method.as_str(), request.path.as_str(), new_key) {
        ("GET", "/_inbox", _) => Ok(json!(state.inbox.to(request.query("to").as_deref()))),
        ("POST", "/_faults", _) => spoil(state, request),
        ("DELETE", "/_faults", _) => {
            state.faults.clear();
            Ok(json!({}))
        }
        ("POST", ROTATE, Some(new_key)) => {
            state.keys.rotate(new_key, request.flag(&["keep_old"]).unwrap_or(true));
            Ok(json!({"kid": state.keys.kid()}))
        }
        ("POST", "/_clock", _) => {
            let seconds = request.member(&["advance_seconds"]).and_then(Value::as_u64);
            let seconds = seconds.ok_or_else(|| Reason::BadRequest.because("advance_seconds must be a number"))?;
            state.advance(Duration::from_secs(seconds));
            Ok(json!({"now": state.now()}))
        }
        ("GET", "/_settings", _) => Ok(json!(state.settings)),
        ("POST", "/_settings", _) => {
            state.settings = changed(&state.settings, request)?;
            Ok(json!(state.settings))
        }
        _ => Err(Reason::NoSuchEndpoint.because(format!("There is no hook {} {}", request.method, request.path))),
    }
}

fn spoil(state: &mut State, request: &Request) -> Result {
    let new: NewFault = serde_json::from_value(request.body.clone())
        .map_err(|error| Reason::BadRequest.because(format!("this is not a fault: {error}")))?;
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fault = Fault {
        times: new.times,
        delay: new.delay_ms.map(Duration::from_millis),
        status: new.status,
        body: new.body,
        retry_after: None,
        headers: new.headers.into_iter().map(|(name, value)| (name, text(value))).collect(),
    };
    state.faults.add(&new.path, fault);
    Ok(json!({}))
}

fn changed(settings: &Settings, request: &Request) -> Result<Settings> {
    let refuse = |error: serde_json::Error| Reason::BadRequest.because(format!("these are not settings: {error}"));
    let mut merged = serde_json::to_value(settings).map_err(refuse)?;
    if let (Some(merged), Some(given)) = (merged.as_object_mut(), request.body.as_object()) {
        merged.extend(given.clone());
    }
    serde_json::from_value(merged).map_err(refuse)
}

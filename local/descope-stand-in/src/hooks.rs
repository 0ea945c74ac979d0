//! Hooks: endpoints beside the API, for developers and for tests in any language.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::Faults;

use crate::{
    answer::{Reason, Result},
    faults::Fault,
    request::Request,
    state::State,
    tokens::Key,
};

/// Needs a new key. Generating one is slow, so it is done before the state is locked.
pub(crate) const ROTATE: &str = "/_keys/rotate";

pub(crate) fn answer(state: &mut State, faults: &Faults<Fault>, request: &Request, new_key: Option<Key>) -> Result {
    match (request.method.as_str(), request.path.as_str(), new_key) {
        ("GET", "/_inbox", _) => Ok(json!(state.inbox.to(request.query("to").as_deref()))),
        ("POST", "/_faults", _) => {
            let misunderstood = |error| Reason::BadRequest.because(format!("this is not a fault: {error}"));
            faults.add_told(request.body.clone()).map_err(misunderstood)?;
            Ok(json!({}))
        }
        ("DELETE", "/_faults", _) => {
            faults.clear();
            Ok(json!({}))
        }
        ("POST", ROTATE, Some(new_key)) => {
            state.keys.rotate(new_key, request.flag(&["keep_old"]).unwrap_or(true));
            Ok(json!({"kid": state.keys.kid()}))
        }
        ("POST", "/_clock", _) => {
            let seconds = request.member(&["advance_seconds"]).and_then(Value::as_u64);
            let seconds = seconds.ok_or_else(|| Reason::BadRequest.because("advance_seconds must be a number"))?;
            state.clock.advance(Duration::from_secs(seconds));
            Ok(json!({"now": state.clock.now()}))
        }
        ("GET", "/_settings", _) => Ok(json!(state.settings)),
        ("POST", "/_settings", _) => {
            let misunderstood = |error| Reason::BadRequest.because(format!("these are not settings: {error}"));
            state.settings = stand_in::changed(&state.settings, request.body.clone()).map_err(misunderstood)?;
            Ok(json!(state.settings))
        }
        _ => Err(Reason::NoSuchEndpoint.because(format!("There is no hook {} {}", request.method, request.path))),
    }
}

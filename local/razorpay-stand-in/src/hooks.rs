//! Hooks: calls beside the API with which developers, and tests in any language, control the stand-in.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use stand_in::Faults;

use crate::{
    answer::{Refusal, Result},
    attempt::{Attempt, Outcome},
    checkout,
    disputes::{self, DisputeOutcome},
    faults::Fault,
    request::Request,
    returns::{self, RefundOutcome},
    state::State,
    webhooks::Event,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    status: Outcome,
    #[serde(default = "yes")]
    webhooks: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    status: RefundOutcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disputed {
    payment_id: String,
    /// The whole payment if it is missing.
    amount: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeDecision {
    status: DisputeOutcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Announcement {
    event: String,
    #[serde(default)]
    payload: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    event_id: Option<String>,
    #[serde(default)]
    all: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    advance_seconds: u64,
}

/// Answers a hook.
pub(crate) fn answer(state: &mut State, faults: &Faults<Fault>, request: &Request) -> Result {
    let path: Vec<_> = request.path.trim_matches('/').split('/').collect();
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["_checkout"]) => {
            let checkout = checkout::pay(state, &read::<Attempt>(request)?)?;
            Ok(checkout.json(state))
        }
        ("POST", ["_payments", id]) => {
            let wanted: Move = read(request)?;
            checkout::change(state, id, wanted.status, wanted.webhooks)
        }
        ("POST", ["_refunds", id]) => returns::decide(state, id, read::<Decision>(request)?.status),
        ("POST", ["_disputes"]) => {
            let new: Disputed = read(request)?;
            disputes::open(state, &new.payment_id, new.amount)
        }
        ("POST", ["_disputes", id]) => disputes::end(state, id, read::<DisputeDecision>(request)?.status),
        ("GET", ["_webhooks"]) => Ok(json!(state.post.all().collect::<Vec<_>>())),
        ("POST", ["_webhooks"]) => {
            let new: Announcement = read(request)?;
            state.announce(vec![Event::new(&new.event, &new.payload)]);
            Ok(json!(state.post.all().last()))
        }
        ("POST", ["_webhooks", "deliver"]) => deliver(state, &read(request)?),
        ("POST", ["_faults"]) => {
            faults.add_told(request.body.clone().into()).map_err(|error| misunderstood(&error))?;
            Ok(json!({}))
        }
        ("DELETE", ["_faults"]) => {
            faults.clear();
            Ok(json!({}))
        }
        ("POST", ["_clock"]) => {
            state.advance(Duration::from_secs(read::<Clock>(request)?.advance_seconds));
            Ok(json!({"now": state.clock.now()}))
        }
        ("GET", ["_settings"]) => Ok(json!(state.settings)),
        ("POST", ["_settings"]) => {
            let settings = stand_in::changed(&state.settings, request.body.clone().into());
            state.settings = settings.map_err(|error| misunderstood(&error))?;
            Ok(json!(state.settings))
        }
        _ => Err(Refusal::own(404, format!("There is no hook {} {}", request.method, request.path))),
    }
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T> {
    serde_json::from_value(Value::Object(request.body.clone())).map_err(|error| misunderstood(&error))
}

fn misunderstood(error: &serde_json::Error) -> Refusal {
    Refusal::own(400, format!("This hook does not understand: {error}"))
}

fn deliver(state: &mut State, again: &Again) -> Result {
    if state.settings.webhook_url.is_none() {
        return Err(Refusal::own(400, "There is no webhook_url in the settings"));
    }
    if again.event_id.is_some() == again.all {
        return Err(Refusal::own(400, "Either event_id or all must be given"));
    }
    let now = state.clock.now();
    match state.post.again(again.event_id.as_deref(), now, &state.settings) {
        0 if !again.all => Err(Refusal::unknown_id()),
        count => Ok(json!({"count": count})),
    }
}

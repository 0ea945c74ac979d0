//! Hooks: calls beside the services with which developers, and tests in any language, control the stand-in.

use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use stand_in::{Faults, Shared};

use crate::{
    Channel, Fault, MailEvent, Taken,
    feedback::{self, Told},
    request::Request,
    state::State,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    id: String,
    status: String,
    code: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inbound {
    channel: Channel,
    from: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Happened {
    id: String,
    event: MailEvent,
}

pub(crate) async fn answer(
    shared: &Arc<Shared<State>>,
    faults: &Faults<Fault>,
    request: &Request,
) -> Result<Value, String> {
    match (request.method.as_str(), request.path.trim_end_matches('/')) {
        ("GET", "/_inbox") => Ok(json!(shared.look().inbox.to(request.query("to")))),
        ("DELETE", "/_inbox") => {
            shared.change(|state| state.inbox.clear()).map_err(|error| error.to_string())?;
            Ok(json!({}))
        }
        ("POST", "/_faults") => {
            faults.add_told(request.body.clone()).map_err(|error| format!("this is no fault: {error}"))?;
            Ok(json!({}))
        }
        ("DELETE", "/_faults") => {
            faults.clear();
            Ok(json!({}))
        }
        ("POST", "/_status") => {
            let Status { id, status, code } = read(request)?;
            let message = find(shared, &id)?;
            let told = match message.channel {
                Channel::WhatsApp => feedback::status(&message, &status, code),
                Channel::Sms => feedback::report(&message, &status),
                Channel::Email => return Err("mail has events: GET /_events".to_owned()),
            };
            tell(shared, &told).await
        }
        ("POST", "/_inbound") => {
            let Inbound { channel, from, text } = read(request)?;
            tell(shared, &feedback::inbound(channel, &from, &text)).await
        }
        // What EventBridge would hand over.
        ("POST", "/_events") => {
            let Happened { id, event } = read(request)?;
            Ok(feedback::mail_event(&find(shared, &id)?, event))
        }
        ("GET", "/_settings") => Ok(json!(shared.look().settings)),
        ("POST", "/_settings") => {
            let mut state = shared.look();
            let settings = stand_in::changed(&state.settings, request.body.clone());
            state.settings = settings.map_err(|error| format!("these are no settings: {error}"))?;
            Ok(json!(state.settings))
        }
        _ => Err(format!("there is no hook {} {}", request.method, request.path)),
    }
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_value(request.body.clone()).map_err(|error| format!("this hook does not understand: {error}"))
}

fn find(shared: &Shared<State>, id: &str) -> Result<Taken, String> {
    shared.look().inbox.find(id).cloned().ok_or_else(|| "there is no such message".to_owned())
}

async fn tell(shared: &Shared<State>, told: &Told) -> Result<Value, String> {
    let url = shared.look().settings.webhook_url.clone().ok_or("there is no webhook_url in the settings")?;
    Ok(json!({ "status": feedback::post(&url, told).await? }))
}
